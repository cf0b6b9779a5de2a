import type { TaskReader } from '../api/task-reader.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';

/** Bytes that are read at a time, however long the lines are. */
const stepBytes = 256 * 1024;

type Stream = 'stdout' | 'stderr';

/** What the search needs of a task. */
export type Readable = Pick<TaskReader, 'read' | 'tail'>;

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

/** How many bytes of the last lines it shows at most. */
const mostBytes = 256 * 1024;

/** A snapshot whose preview is the last `count` lines of the output, as far as they are the last 256 KiB; without a count as it is. */
export async function withLastLines(
  task: Readable,
  snapshot: TaskSnapshot,
  count: number | undefined,
): Promise<TaskSnapshot> {
  if (count === undefined) return snapshot;
  const begin = await startOfLastLines(task, 'stdout', count);
  const { size } = await task.tail({ maxBytes: 1, stream: 'stdout' });
  const wanted = Math.min(size - begin, mostBytes);
  const tail = wanted <= 0 ? null : await task.tail({ maxBytes: wanted, stream: 'stdout' });
  const output = {
    ...snapshot.output,
    preview: tail?.text ?? '',
    truncated: tail === null ? size > 0 : tail.offset > 0,
  };
  return { ...snapshot, output };
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

/** The bytes before `end`, from `begin` or from the end of the cut. */
async function lastPiece(
  task: Readable,
  stream: Stream,
  begin: number,
  end: number,
): Promise<{ bytes: Buffer; offset: number }> {
  const piece = await task.read({ offset: begin, maxBytes: end - begin, stream });
  // All of it is gone: the read returned bytes from after it.
  if (piece.bytes.length === 0 || piece.offset >= end) return { bytes: Buffer.alloc(0), offset: end };
  if (piece.nextOffset >= end)
    return { bytes: piece.bytes.subarray(0, end - piece.offset), offset: piece.offset };
  // It ends before a cut, or before a character that continues after the end.
  const rest = await lastPiece(task, stream, piece.nextOffset, end);
  return rest.offset > piece.nextOffset
    ? rest
    : { ...piece, bytes: Buffer.concat([piece.bytes, rest.bytes]) };
}

/** Where the part before a cut ends. The cut itself ends at `behind`. */
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
