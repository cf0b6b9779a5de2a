import type { TaskReader } from '../../api/task-reader.ts';
import { startOfLastLines } from '../last-lines.ts';

export type Stream = 'stdout' | 'stderr';

/** The part of a stream to print; by default all of it. */
export interface Range {
  /** Only the last lines. */
  readonly lines?: number | undefined;
  readonly bytes?: number | undefined;
  readonly offset?: number | undefined;
  /** Epoch milliseconds. */
  readonly since?: number | undefined;
}

/** The beginning of a line is searched for at most so far back. */
const lineSearchBytes = 64 * 1024;

const lineFeed = 0x0a;

/** The byte at which a range begins. */
export async function beginOf(
  task: TaskReader,
  stream: Stream,
  { offset, bytes, lines, since }: Range,
): Promise<number> {
  const begin = since === undefined ? 0 : await beginSince(task, stream, since);
  if (offset !== undefined) return offset;
  if (bytes !== undefined)
    return bytes === 0 ? await sizeOf(task, stream) : (await task.tail({ maxBytes: bytes, stream })).offset;
  return Math.max(begin, lines === undefined ? 0 : await startOfLastLines(task, stream, lines));
}

/** The beginning of the line in which begins what was written since, or of that itself where the line is long. */
async function beginSince(task: TaskReader, stream: Stream, since: number): Promise<number> {
  const { offset, beginsAt } = await task.read({ since, maxBytes: 1, stream });
  const from = Math.max(beginsAt, offset - lineSearchBytes);
  const before = await task.read({ offset: from, maxBytes: Math.max(1, offset - from), stream });
  // If the middle was cut out, the next bytes are from after the cut.
  if (offset === from || before.offset !== from || before.nextOffset !== offset) return offset;
  const lineEnd = before.bytes.lastIndexOf(lineFeed);
  return lineEnd < 0 && from > beginsAt ? offset : from + lineEnd + 1;
}

async function sizeOf(task: TaskReader, stream: Stream): Promise<number> {
  return (await task.tail({ maxBytes: 1, stream })).size;
}
