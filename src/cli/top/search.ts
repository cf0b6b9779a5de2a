import type { TaskReader } from '../../api/task-reader.ts';
import { compilePattern } from '../../engine/watches/compile-pattern.ts';
import { type LineMatcher, LineSearch } from '../../model/line-search.ts';
import { checkPattern } from '../../model/pattern.ts';
import { yieldToOthers } from '../../util/wait.ts';
import type { Stream } from '../logs/begin.ts';

/** Bytes that are read at a time. */
const stepBytes = 1024 * 1024;

/** How many bytes of a line longer than a step it searches twice, to find matches across the border. */
const overlapBytes = 4 * 1024;

const lineFeed = 0x0a;
const escapeByte = 0x1b;

/** The search text. */
export interface Wanted {
  readonly matcher: LineMatcher;
  /**
   * A text that each match contains, in lower case: a line without it needs no closer search; `null`: no such text is
   * known.
   */
  readonly text: string | null;
}

/**
 * What a person typed to search for: a regular expression. It ignores case unless it contains upper case.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export async function wantedOf(typed: string): Promise<Wanted> {
  const flags = typed === typed.toLowerCase() ? 'i' : '';
  const matcher = await compilePattern(checkPattern({ regexp: typed, flags }));
  return { matcher, text: /^[^\\^$.*+?()[\]{}|]+$/.test(typed) ? typed.toLowerCase() : null };
}

/** Where to search. */
export interface SearchOptions {
  readonly stream: Stream;
  /** Lines that begin at this byte or after it; backwards: before it. */
  readonly from: number;
  readonly isBackwards: boolean;
  readonly abortSignal: AbortSignal;
  /** Told after each step, with the byte that was reached. */
  reached(offset: number): void;
}

/**
 * Finds the next line of the output in which something stands, in all that is written now: from a byte on, and then from
 * the other end on.
 * @returns where the line begins, and whether that was from the other end on; `null`: nothing was found, or the search was
 *   broken off.
 */
export async function searchOutput(
  task: TaskReader,
  wanted: Wanted,
  options: SearchOptions,
): Promise<{ readonly offset: number; readonly isAround: boolean } | null> {
  const search = options.isBackwards ? backwards : forwards;
  const offset = await search(task, wanted, options);
  if (offset !== null) return { offset, isAround: false };
  if (options.abortSignal.aborted) return null;
  const { size } = await task.tail({ maxBytes: 1, stream: options.stream });
  const around = await search(task, wanted, { ...options, from: options.isBackwards ? size : 0 });
  return around === null ? null : { offset: around, isAround: true };
}

async function forwards(task: TaskReader, wanted: Wanted, options: SearchOptions): Promise<number | null> {
  const { stream, from, abortSignal, reached } = options;
  let offset = from;
  while (!abortSignal.aborted) {
    const chunk = await task.read({ offset, maxBytes: stepBytes, stream });
    if (chunk.bytes.length === 0) return null;
    // What comes in the next step begins with a line.
    const isRest = chunk.nextOffset >= chunk.size;
    const end = isRest ? chunk.bytes.length : chunk.bytes.lastIndexOf(lineFeed) + 1;
    const whole = end === 0 ? chunk.bytes : chunk.bytes.subarray(0, end);
    const found = linesIn(whole, chunk.offset, wanted).find((line) => line >= from);
    if (found !== undefined) return found;
    offset = end === 0 ? Math.max(offset + 1, chunk.nextOffset - overlapBytes) : chunk.offset + end;
    reached(offset);
    // Keys are heard here.
    await yieldToOthers();
  }
  return null;
}

/** Piece by piece from the end; of each piece the last match counts. */
async function backwards(task: TaskReader, wanted: Wanted, options: SearchOptions): Promise<number | null> {
  const { stream, abortSignal, reached } = options;
  let end = options.from;
  while (end > 0 && !abortSignal.aborted) {
    const from = Math.max(0, end - stepBytes);
    const chunk = await task.read({ offset: from, maxBytes: end - from, stream });
    const bytes = chunk.bytes.subarray(0, Math.max(0, end - chunk.offset));
    const skipped = from === 0 || chunk.offset > from ? 0 : bytes.indexOf(lineFeed) + 1;
    const found = linesIn(bytes.subarray(skipped), chunk.offset + skipped, wanted).at(-1);
    if (found !== undefined) return found;
    // A line that goes on before the piece comes with the next one.
    const isWithin = skipped === 0 || skipped >= bytes.length;
    end = isWithin && from > 0 ? Math.min(end - 1, from + overlapBytes) : from + skipped;
    if (from === 0) return null;
    reached(end);
    await yieldToOthers();
  }
  return null;
}

/** Where the lines begin, of some bytes, in which it stands. */
function linesIn(bytes: Buffer, offset: number, { matcher, text }: Wanted): number[] {
  // The text may have escapes inside a match.
  if (text !== null && !bytes.includes(escapeByte) && !bytes.toString().toLowerCase().includes(text))
    return [];
  const search = new LineSearch(matcher, offset);
  const lines: number[] = [];
  for (let at = 0; at < bytes.length; at += matcher.stretchBytes)
    for (const { lineOffset } of search.take(bytes.subarray(at, at + matcher.stretchBytes), offset + at))
      lines.push(lineOffset);
  const rest = search.rest();
  return rest === null ? lines : [...lines, rest.lineOffset];
}
