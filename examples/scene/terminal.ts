import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const { NO_COLOR, TERM } = process.env;
const colours = process.stdout.isTTY && !NO_COLOR && TERM !== 'dumb';

/** Columns that a line may have: those of the terminal, within reason; 80 without one. */
export const width = Math.min(Math.max(process.stdout.columns || 80, 60), 120);

/** Writes one line. */
export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Writes the first line of a part of the scene. */
export function heading(text: string): void {
  say(`\n${paint('bold', text)}`);
}

/** Text in a colour, where the terminal shows colours and nobody asked for none. */
export function paint(style: Style, text: string): string {
  return colours ? styleText(style, text) : text;
}

/** Text as one line without control characters, cut to so many columns. */
export function shorten(text: string, columns: number): string {
  const line = stripVTControlCharacters(text)
    .replace(/\p{Cc}+/gu, ' ')
    .trimEnd();
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 3))}...`;
}

/** A column of a table. The one of width 0 gets what the others leave. */
export interface Column {
  readonly title: string;
  readonly width: number;
  readonly right?: boolean;
}

/** Writes the titles of a table. */
export function titles(columns: readonly Column[]): void {
  row(
    columns,
    columns.map(({ title }) => title),
    (line) => paint('dim', line),
  );
}

/** Writes one row of a table, painted cell by cell: colours do not count as columns. */
export function row(
  columns: readonly Column[],
  cells: readonly string[],
  painted: (cell: string, column: number) => string = (cell) => cell,
): void {
  const fixed = columns.reduce((sum, column) => sum + column.width, 0);
  const rest = width - indent.length - fixed - gap.length * (columns.length - 1);
  const line = columns.map((column, index) => {
    const columnWidth = column.width || rest;
    const cell = shorten(cells[index] ?? '', columnWidth);
    return painted(column.right ? cell.padStart(columnWidth) : cell.padEnd(columnWidth), index);
  });
  say(`${indent}${line.join(gap)}`.trimEnd());
}

const indent = '  ';
const gap = '  ';

/** Seconds, with two digits behind the point. */
export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`;
}

/** A status in its colour. */
export function paintStatus(status: string): string {
  const styles: Record<string, Style> = { completed: 'green', lost: 'red' };
  return paint(styles[status.trim()] ?? 'yellow', status);
}
