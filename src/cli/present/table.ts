import { fitted, fittedEnd, padded, textWidth } from './width.ts';

/** A column of a table. */
export interface Column {
  readonly heading: string;
  /** Where there is no room for all, columns of the lowest rank are left out first. One without a rank stays. */
  readonly rank?: number;
  /** It may be cut to this many cells before others are left out. By default it is as wide as its widest cell. */
  readonly least?: number;
  /** What does not fit is cut from the beginning, as of a path. */
  readonly keepsEnd?: boolean;
  /** It is left out when it is empty in all rows. */
  readonly mayBeEmpty?: boolean;
}

/** What a cell without a value holds. */
export const none = '-';

/** Between two columns. */
const gap = 2;

/** How many rows it lays out at a time. */
const batch = 500;

/** A column that is shown, by its place, and how wide. */
interface Shown {
  readonly at: number;
  readonly column: Column;
  width: number;
}

/** Rows under a heading, without lines, no wider than the terminal: columns are left out and cut, and no row is wrapped. */
export function tableText(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  cells: number,
): string {
  return [...tableTexts(columns, rows, cells)].join('');
}

/** The same, piece by piece. @param rows are gone through twice: how wide a column is, the last row may say. */
export function* tableTexts(
  columns: readonly Column[],
  rows: Iterable<readonly string[]>,
  cells: number,
): Generator<string, void, undefined> {
  const shown = fittingIn(columnsOf(columns, rows), cells);
  const headings = columns.map(({ heading }) => heading);
  let some = rowText(shown, headings, cells);
  let count = 1;
  for (const row of rows) {
    some += rowText(shown, row, cells);
    count += 1;
    if (count % batch !== 0) continue;
    yield some;
    some = '';
  }
  yield some;
}

/** A table whose rows come and go, as on a screen: its columns never get narrower, so they stay where they are. */
export class SteadyTable {
  readonly #columns: readonly Column[];
  /** By their places, those that were shown. */
  readonly #widths = new Map<number, number>();

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
  }

  /** The heading and the rows, each on a line that is no wider than `cells`. */
  lines(rows: readonly (readonly string[])[], cells: number): string[] {
    for (const { at, width } of columnsOf(this.#columns, rows))
      this.#widths.set(at, Math.max(width, this.#widths.get(at) ?? 0));
    const known = this.#columns.flatMap((column, at): Shown[] => {
      const width = this.#widths.get(at);
      return width === undefined ? [] : [{ at, column, width }];
    });
    const shown = fittingIn(known, cells);
    const headings = this.#columns.map(({ heading }) => heading);
    return [headings, ...rows].map((row) => rowText(shown, row, cells).trimEnd());
  }
}

/** As wide as they are. */
function columnsOf(columns: readonly Column[], rows: Iterable<readonly string[]>): Shown[] {
  const shown = columns.map((column, at) => ({ at, column, width: textWidth(column.heading) }));
  const isEmpty = columns.map(({ mayBeEmpty }) => mayBeEmpty === true);
  for (const row of rows)
    for (const one of shown) {
      const cell = row[one.at] ?? '';
      one.width = Math.max(one.width, textWidth(cell));
      if (cell !== none) isEmpty[one.at] = false;
    }
  return shown.filter(({ at }) => !isEmpty[at]);
}

/** Leaves out columns until the others have room, and cuts those that may be cut, the last ones first. */
function fittingIn(columns: readonly Shown[], cells: number): Shown[] {
  const shown = [...columns];
  const leastOf = ({ column, width }: Shown): number => Math.min(width, column.least ?? width);
  const total = (widthOf: (one: Shown) => number): number =>
    shown.reduce((sum, one) => sum + widthOf(one) + gap, -gap);
  while (total(leastOf) > cells) {
    const ranks = shown.map(({ column }) => column.rank ?? Number.POSITIVE_INFINITY);
    const lowest = Math.min(...ranks);
    if (lowest === Number.POSITIVE_INFINITY) break;
    shown.splice(ranks.indexOf(lowest), 1);
  }
  for (const one of shown.toReversed()) {
    const excess = Math.max(0, total(({ width }) => width) - cells);
    one.width = Math.max(leastOf(one), one.width - excess);
  }
  return shown;
}

function rowText(shown: readonly Shown[], row: readonly string[], cells: number): string {
  const texts = shown.map(({ at, column, width }, index) => {
    const text = (column.keepsEnd ? fittedEnd : fitted)(row[at] ?? '', width);
    return index === shown.length - 1 ? text : padded(text, width + gap);
  });
  return `${fitted(texts.join('').trimEnd(), cells)}\n`;
}
