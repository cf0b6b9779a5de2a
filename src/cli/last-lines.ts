import type { Task } from '../api/task.ts';

const firstLookBytes = 16 * 1024;

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
  for (let maxBytes = firstLookBytes; ; maxBytes *= 4) {
    const { bytes, offset } = await task.tail({ maxBytes, stream });
    const start = lineStart(bytes, count);
    if (start !== null) return offset + start;
    // Shorter than it was asked to be, but for a part of a character at each end: that is all, or all behind a cut.
    if (offset > 0 && bytes.length > maxBytes - 2 * longestCharacter) continue;
    return offset === 0 ? 0 : await startInFront(task, stream, offset, count - lineCount(bytes));
  }
}

/** The same for the part in front of a cut, which ends somewhere before an offset. */
async function startInFront(
  task: Task,
  stream: 'stdout' | 'stderr',
  before: number,
  count: number,
): Promise<number> {
  const head = await task.read({ offset: 0, maxBytes: before, stream });
  return head.offset + (lineStart(head.bytes, count) ?? 0);
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
