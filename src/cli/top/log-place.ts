import { rowStarts } from '../present/width.ts';
import type { LogLine } from './log-lines.ts';

/** A row of the screen: the row of a line. */
export interface Place {
  readonly index: number;
  readonly row: number;
}

/** Lines as rows of a screen that is so wide. */
export class Wrapped {
  readonly #columns: number;
  readonly #starts = new WeakMap<LogLine, readonly number[]>();
  lines: readonly LogLine[] = [];

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Where the rows of a line begin in its text. */
  starts(line: LogLine): readonly number[] {
    const starts = this.#starts.get(line) ?? rowStarts(line.text, this.#columns);
    this.#starts.set(line, starts);
    return starts;
  }

  /** The row above; null: there is none. */
  above({ index, row }: Place): Place | null {
    if (row > 0) return { index, row: row - 1 };
    const line = this.lines[index - 1];
    return line === undefined ? null : { index: index - 1, row: this.starts(line).length - 1 };
  }

  below({ index, row }: Place): Place | null {
    const line = this.lines[index];
    if (line !== undefined && row + 1 < this.starts(line).length) return { index, row: row + 1 };
    return index + 1 < this.lines.length ? { index: index + 1, row: 0 } : null;
  }

  /** The first row of the last page. */
  lastPage(height: number): Place {
    const last = this.lines.at(-1);
    let place: Place = {
      index: Math.max(0, this.lines.length - 1),
      row: last === undefined ? 0 : this.starts(last).length - 1,
    };
    for (let rows = 1; rows < height; rows += 1) place = this.above(place) ?? place;
    return place;
  }
}

export function isBefore(a: Place, b: Place): boolean {
  return a.index < b.index || (a.index === b.index && a.row < b.row);
}
