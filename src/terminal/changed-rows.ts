import type { Screen } from './screen.ts';

/** What has changed on a screen. */
interface ScreenChange {
  /** How many rows have left the screen at the top. */
  readonly scrolled: number;
  /** The rows that then differ, from 0. */
  readonly rows: readonly { readonly row: number; readonly text: string }[];
}

/**
 * What is different on a screen than it was, as text: by how much it has scrolled, and each row that changed, with its
 * number from 1. Empty: nothing is. What the rows say is what a command printed: data.
 * @returns null when that is not shorter than the whole screen, or the screens have nothing to do with each other.
 */
export function changedRows(before: Screen, after: Screen): string | null {
  const change = screenChange(before, after);
  if (change === null) return null;
  const { scrolled, rows } = change;
  const head = scrolled === 0 ? [] : [`(scrolled up by ${scrolled})`];
  const text = [...head, ...rows.map(({ row, text }) => `${String(row + 1).padStart(2)} ${text}`)].join('\n');
  return text.length < after.lines.join('\n').trimEnd().length || text === '' ? text : null;
}

/** The same as data; null between screens of two sizes, and where a full-screen program has begun or ended. */
export function screenChange(before: Screen, after: Screen): ScreenChange | null {
  const isSame =
    before.cols === after.cols && before.rows === after.rows && before.alternate === after.alternate;
  if (!isSame) return null;
  let best = changeAfter(before, after, 0);
  for (let scrolled = 1; scrolled < after.rows && best.rows.length > 0; scrolled += 1) {
    if (!isKept(before, after, scrolled)) continue;
    const change = changeAfter(before, after, scrolled);
    if (change.rows.length < best.rows.length) best = change;
  }
  return best;
}

function changeAfter(before: Screen, after: Screen, scrolled: number): ScreenChange {
  const rows = after.lines
    .map((text, row) => ({ row, text }))
    .filter(({ row, text }) => text !== (before.lines[row + scrolled] ?? ''));
  return { scrolled, rows };
}

/** To have scrolled explains more only when the first row that is not empty is one that was further down. */
function isKept(before: Screen, after: Screen, scrolled: number): boolean {
  const row = after.lines.findIndex((text) => text !== '');
  return row >= 0 && after.lines[row] === before.lines[row + scrolled];
}
