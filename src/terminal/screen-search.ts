import { bounds } from '../model/limits.ts';
import type { LineMatcher } from '../model/line-search.ts';
import { textOf, writtenText } from './cells.ts';
import type { Emulator } from './emulator.ts';

/** A line on a screen, which may take several rows. */
export interface ScreenLine {
  /** Its first row, from 0. */
  readonly row: number;
  readonly text: string;
}

/** A pattern that stands on a screen. */
export interface ScreenMatch {
  /** The row in which its line begins, from 0. */
  readonly row: number;
  /** What matched, and the line that it is in: 4096 characters at most. */
  readonly text: string;
  readonly line: string;
  /** What the groups of a regular expression matched; `null` for one that took no part. */
  readonly groups: readonly (string | null)[];
}

/**
 * The lines that show. One that was too long for a row is put together again. The line that the cursor is in ends no
 * sooner than at the cursor, so that `\$ $` finds a prompt.
 */
export function linesOn({ lines, cursor }: Emulator): ScreenLine[] {
  const found: { row: number; text: string }[] = [];
  for (const [row, line] of lines.entries()) {
    const goesOn = lines[row + 1]?.wrapped === true;
    const text = goesOn ? writtenText(line) : textOf(line, row === cursor.y ? cursor.x : 0);
    const last = found.at(-1);
    if (line.wrapped && last !== undefined) last.text += text;
    else found.push({ row, text });
  }
  return found;
}

/** Looks again and again whether a pattern stands on a screen. A line in which it was not is searched once. */
export class ScreenSearch {
  readonly #matcher: LineMatcher;
  #without: ReadonlySet<string> = new Set();

  constructor(matcher: LineMatcher) {
    this.#matcher = matcher;
  }

  /** The first line in which the pattern is; null: none. */
  look(lines: readonly ScreenLine[]): ScreenMatch | null {
    const without = new Set<string>();
    for (const { row, text } of lines) {
      const match = this.#without.has(text) ? null : this.#find(row, text);
      if (match !== null) return match;
      without.add(text);
    }
    this.#without = without;
    return null;
  }

  /** In pieces that overlap, as any line of output is searched: a pattern may cost much for each character. */
  #find(row: number, line: string): ScreenMatch | null {
    const { pieceBytes, overlap } = this.#matcher;
    for (let at = 0; at === 0 || at < line.length; at += pieceBytes - overlap) {
      const found = this.#matcher.find(line.slice(at, at + pieceBytes), 0);
      if (found === null) continue;
      const text = line.slice(at + found.index, at + found.index + found.length);
      return {
        row,
        text: text.slice(0, bounds.matchChars),
        line: line.slice(0, bounds.matchChars),
        groups: found.groups,
      };
    }
    return null;
  }
}
