import type { Task } from '../api/task.ts';

/** Bytes that are read at a time, however long the lines are. */
const stepBytes = 256 * 1024;

type Stream = 'stdout' | 'stderr';

/** What the search needs of a task. */
export type Readable = Pick<Task, 'read' | 'tail'>;

/**
 * The byte at which the last `count` lines of a stream begin, as far as they are there: lines that were cut out
 * are not counted. Reads from the end, as much as is needed, and a bounded piece at a time.
 */
export async function startOfLastLines(task: Readable, stream: Stream, count: number): Promise<number> {
  const { size } = await task.tail({ maxBytes: 1, stream });
  const behind = await searchBack(task, stream, size, count);
  if (behind.isFound || behind.at === 0) return behind.at;
  const end = await endOfHead(task, stream, behind.at);
  return (await searchBack(task, stream, end, count - behind.lines)).at;
}

interface Search {
  /** Where the lines begin, or the first byte that is there to look at. */
  readonly at: number;
  readonly isFound: boolean;
  /** Lines that were seen, the one that begins in front of `at` included. */
  readonly lines: number;
}

/** Searches back from an offset to the beginning, or to a cut. */
async function searchBack(task: Readable, stream: Stream, end: number, count: number): Promise<Search> {
  let lines = 0;
  let position = end;
  while (position > 0 && lines < count) {
    const begin = Math.max(0, position - stepBytes);
    const { bytes, offset } = await lastPiece(task, stream, begin, position);
    // A break at the very end ends a line, and begins none.
    let at = position === end && bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
    while (lines < count) {
      // A negative position would count from the end.
      at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1);
      if (at < 0) break;
      lines += 1;
      if (lines === count) return { at: offset + at + 1, isFound: true, lines };
    }
    position = Math.min(position, offset);
    if (offset > begin) return { at: position, isFound: false, lines: lines + (position < end ? 1 : 0) };
  }
  return { at: position, isFound: lines === count, lines };
}

/** What is there in front of `end`, from `begin` or from behind the cut on. */
async function lastPiece(
  task: Readable,
  stream: Stream,
  begin: number,
  end: number,
): Promise<{ bytes: Buffer; offset: number }> {
  let piece = await task.read({ offset: begin, maxBytes: end - begin, stream });
  // It ends in front of a cut.
  if (piece.bytes.length > 0 && piece.nextOffset < end)
    piece = await task.read({ offset: piece.nextOffset, maxBytes: end - piece.nextOffset, stream });
  // All of it was cut out, and what came is from behind it.
  if (piece.bytes.length === 0 || piece.offset >= end) return { bytes: Buffer.alloc(0), offset: end };
  return { bytes: piece.bytes.subarray(0, end - piece.offset), offset: piece.offset };
}

/** Where the part in front of a cut ends, which ends itself at `behind`. */
async function endOfHead(task: Readable, stream: Stream, behind: number): Promise<number> {
  let [low, high] = [0, behind];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { offset } = await task.read({ offset: middle, maxBytes: 1, stream });
    if (offset === middle) low = middle + 1;
    else high = middle;
  }
  return low;
}
