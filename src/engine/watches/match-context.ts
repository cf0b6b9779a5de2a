import { bounds } from '../../model/limits.ts';
import type { PatternMatch } from '../../model/line-search.ts';
import { plainLine } from '../../model/plain-line.ts';
import { lookAtOutput, type OutputFile, readOutput, wholeCharacters } from '../../tasklog/output.ts';

/** The lines around a match, as they are when it is handed out. */
export interface MatchContext {
  /** The lines before it, in order, without escapes. */
  readonly before: readonly string[];
  /** The lines after it that are there already. */
  readonly after: readonly string[];
}

/** Lines that begin further away than this from the match are left out. */
const contextBytes = 64 * 1024;

/** Reads up to this many lines on each side of a match. Zero lines cost nothing. */
export function contextOf(file: OutputFile, match: PatternMatch, lines: number): MatchContext {
  if (lines === 0) return { before: [], after: [] };
  const { beginsAt } = lookAtOutput(file);
  const begin = Math.max(beginsAt, match.lineOffset - contextBytes);
  const ahead = readOutput(file, begin, Math.max(0, match.lineOffset - begin));
  // Part of the output may have been cut out in between, or all of it may be gone.
  const isWhole = ahead.offset === begin && ahead.nextOffset === match.lineOffset;
  const before = isWhole ? linesOf(ahead.bytes) : [];
  before.pop();
  if (begin > beginsAt) before.shift();
  const behind = wholeCharacters(readOutput(file, match.nextOffset, contextBytes), false);
  const [, ...after] = behind.offset === match.nextOffset ? linesOf(behind.bytes) : [];
  if (after.at(-1) === '') after.pop();
  return { before: before.slice(-lines), after: after.slice(0, lines) };
}

function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split(/\r\n|\r|\n/)
    .map((line) => plainLine(line).slice(0, bounds.matchChars));
}
