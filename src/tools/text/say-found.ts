import { quoted } from './data.ts';

/** How long a search takes at most, in milliseconds. */
export const searchMs = 10_000;

/** The lines in which a pattern matches. */
export interface Found {
  readonly matches: { readonly offset: number; readonly line: string }[];
  /** Where to search on; null: all was searched. */
  next: number | null;
  isLate: boolean;
}

/** The lines that were found. */
export function sayFound({ matches, next, isLate }: Found): string {
  const lines = matches.map(({ offset, line }) => `at byte ${offset}:\n${quoted(line)}`);
  if (lines.length === 0) lines.push('[no line matches]');
  if (next !== null) lines.push(`[more lines match: search on from offset ${next}]`);
  if (isLate)
    lines.push(`[stopped after ${searchMs / 1_000} s, before the end: search on from a later offset]`);
  return lines.join('\n');
}
