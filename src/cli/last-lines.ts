import type { Task } from '../api/task.ts';

const firstLookBytes = 16 * 1024;

/** A tail of a task that goes on may leave out the beginning of a character at its very end. */
const longestCharacter = 4;

/**
 * The byte at which the last `count` lines of a stream begin, as far as they are there: lines that were cut out
 * are not counted. Reads from the end, as much as is needed.
 */
export async function startOfLastLines(
  task: Task,
  stream: 'stdout' | 'stderr',
  count: number,
): Promise<number> {
  let behindCut = 0;
  for (let maxBytes = firstLookBytes; ; maxBytes *= 4) {
    const chunk = await task.tail({ maxBytes, stream });
    // A stretch that begins in front of a cut ends there, and the one before it began behind it.
    const isInFront = chunk.size - chunk.nextOffset >= longestCharacter;
    const start = lineStart(chunk.bytes, isInFront ? count - behindCut : count);
    behindCut = isInFront ? behindCut : lineCount(chunk.bytes);
    if (start !== null) return chunk.offset + start;
    if (chunk.bytes.length === 0 || chunk.offset === 0) return chunk.offset;
  }
}

function lineCount(bytes: Buffer): number {
  let count = bytes.length > 0 && bytes.at(-1) !== 0x0a ? 1 : 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

/** Where the last `count` lines of the bytes begin; null when there are fewer. A break at the very end ends a line. */
function lineStart(bytes: Buffer, count: number): number | null {
  if (count === 0) return bytes.length;
  let at = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  for (let seen = 0; seen < count; seen += 1) {
    // A negative position would count from the end.
    at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1);
    if (at < 0) return null;
  }
  return at + 1;
}
