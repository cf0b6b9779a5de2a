import type { Task } from '../api/task.ts';

const firstLookBytes = 16 * 1024;

/** The byte at which the last `count` lines of a stream begin. Reads from the end, as much as is needed. */
export async function startOfLastLines(
  task: Task,
  stream: 'stdout' | 'stderr',
  count: number,
): Promise<number> {
  for (let maxBytes = firstLookBytes; ; maxBytes *= 4) {
    const chunk = await task.tail({ maxBytes, stream });
    const start = lineStart(chunk.bytes, count);
    if (start !== null) return chunk.offset + start;
    if (chunk.bytes.length === 0 || chunk.offset === 0) return chunk.offset;
  }
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
