import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

/** Between two columns. */
const gap = 2;

/** The last column is never narrower. */
const narrowest = 10;

/**
 * Rows under a heading, without lines, as wide as the terminal: the last column takes what the others leave,
 * and what does not fit it is cut.
 */
export function tableText(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string {
  const widths = heading.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
  const others = widths.slice(0, -1).reduce((sum, width) => sum + width + gap, 0);
  const last = Math.max(narrowest, Math.min(widths.at(-1) ?? 0, columns - others));
  const table = new Table({
    head: [...heading],
    colWidths: [...widths.slice(0, -1).map((width) => width + gap), last],
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    truncate: '…',
  });
  table.push(...rows.map((row) => [...row]));
  return (
    table
      .toString()
      .split('\n')
      // What does not fit may be cut within a character of two halves.
      .map((line) => `${line.replace(/\p{Surrogate}/gu, '').trimEnd()}\n`)
      .join('')
  );
}

/** How wide a text is, colours left out. Wide characters of other scripts are cut a little early by the table. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

const noLines = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);
