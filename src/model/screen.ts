import { cellWidth } from './cell-width.ts';
import { Row } from './row.ts';

/** What programs take a terminal to be that they cannot ask. */
const usualRows = 24;

/** Wider than what a program draws; narrow enough that each character that is put in or taken out costs little. */
const usualColumns = 1024;

/** A cursor moves right no further than this, or the end of the row: as far as terminals are wide. */
const reachColumns = 256;

/** The most blanks that a cursor may leave after text: this many, and this many more for each written character. */
const freeBlanks = 4096;
const blanksEach = 4;

const tabColumns = 8;
const simple = /^[\x20-\x7e]*$/;

/**
 * A screen that keeps no looks: what a terminal would show of a text, and what has left it at the top. It holds one
 * screen full of text, however much is written. Movements are as of xterm, but for two things: what is cleared as a
 * whole stays in the text above, and rows that the screen was too narrow for are put together again.
 */
export class Screen {
  readonly #height: number;
  readonly #columns: number;
  readonly #reach: number;
  #rows: Row[] = [new Row()];
  #x = 0;
  #y = 0;
  #saved = { x: 0, y: 0 };
  /** A few bytes that move the cursor must not become megabytes of blanks. */
  #blanks = freeBlanks;
  /** What comes back when a full-screen program ends. */
  #behind: { readonly rows: Row[]; readonly saved: { x: number; y: number } } | null = null;
  #out = '';

  /** @param height at least 2. */
  constructor(height = usualRows, columns = usualColumns) {
    this.#height = height;
    this.#columns = columns;
    this.#reach = Math.min(columns, reachColumns);
  }

  /** What has left the screen since the last call. */
  take(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }

  /**
   * Hands out the lines above the cursor without waiting for them to leave the screen. One that changes afterwards is
   * handed out again. A full-screen program shows no lines.
   */
  show(): void {
    if (this.#behind !== null) return;
    let end = this.#y;
    while (end > 0 && this.#rows[end]?.wrapped) end -= 1;
    for (let at = 0; at < end; at += 1) this.#handOut(this.#rows[at], this.#rows[at + 1]);
  }

  /** Hands out all that is on the screen, and begins anew. */
  end(): void {
    const rows = this.#behind === null ? this.#rows : [...this.#behind.rows, ...this.#rows];
    for (const [at, row] of rows.entries()) this.#handOut(row, rows[at + 1]);
    this.#behind = null;
    this.#rows = [new Row()];
    this.#x = 0;
    this.#y = 0;
  }

  /** Writes text without control characters. */
  print(text: string): void {
    this.#blanks += text.length * blanksEach;
    const end = this.#x + text.length;
    if (end <= this.#columns && simple.test(text) && this.#row.write(this.#x, text)) this.#x = end;
    else for (const character of text) this.#put(character, cellWidth(character));
  }

  tab(): void {
    const next = Math.min(this.#x + tabColumns - (this.#x % tabColumns), this.#columns - 1);
    // Only where nothing is yet it is text; elsewhere it is a movement.
    if (this.#x >= this.#row.length) this.#put('\t', Math.max(1, next - this.#x));
    else this.#x = next;
  }

  /** To the beginning of the next row, where a line begins. */
  lineFeed(): void {
    this.#x = 0;
    this.index();
    this.#row.wrapped = false;
  }

  /** To the next row, in the same column; at the bottom of the screen all rows move up. */
  index(): void {
    this.#x = Math.min(this.#x, this.#columns - 1);
    if (this.#y === this.#height - 1) this.#scroll();
    else this.#y += 1;
    this.#fill();
  }

  carriageReturn(): void {
    this.#x = 0;
  }

  backspace(): void {
    this.#x = Math.max(0, Math.min(this.#x, this.#columns - 1) - 1);
  }

  /** Moves the cursor by columns and rows, within the screen. */
  move(columns: number, rows: number): void {
    this.moveTo(Math.min(this.#x, this.#columns - 1) + columns, this.#y + rows);
  }

  /** Moves the cursor to a place on the screen, counted from 0. */
  moveTo(x: number, y = this.#y): void {
    this.#y = Math.max(0, Math.min(y, this.#height - 1));
    this.#fill();
    const limit = Math.max(this.#reach - 1, this.#row.length, Math.min(this.#x, x));
    this.#x = Math.max(0, Math.min(x, limit, this.#columns - 1));
  }

  /** The same for a row alone. */
  moveToRow(y: number): void {
    this.moveTo(this.#x, y);
  }

  /** Moves up; at the top of the screen all rows move down. */
  reverseIndex(): void {
    if (this.#y > 0) this.move(0, -1);
    else this.#insertRows(1);
  }

  save(): void {
    this.#saved = { x: this.#x, y: this.#y };
  }

  restore(): void {
    this.moveTo(this.#saved.x, this.#saved.y);
  }

  /** Erases in the row: `0` from the cursor on, `1` up to it, `2` all. */
  eraseInLine(what: number): void {
    if (what > 2) return;
    const x = Math.min(this.#x, this.#columns);
    this.#row.erase(what === 0 ? x : 0, what === 1 ? x + 1 : this.#columns);
    if (what === 2 || (what === 0 && x === 0)) this.#row.wrapped = false;
  }

  /** Erases on the screen: `0` from the cursor on, `1` up to it, `2` all, which stays in the text above. */
  eraseInDisplay(what: number): void {
    if (what === 2) this.#clear();
    if (what > 1) return;
    this.eraseInLine(what);
    if (what === 1) {
      this.#row.wrapped = false;
      for (const row of this.#rows.slice(0, this.#y)) blank(row);
      if (this.#x + 1 >= this.#columns && this.#y + 1 < this.#rows.length) unwrap(this.#rows[this.#y + 1]);
    } else for (const row of this.#rows.slice(this.#y + 1)) blank(row);
  }

  /** Erases cells from the cursor on. */
  eraseCharacters(count: number): void {
    this.moveTo(Math.min(this.#x, this.#columns - 1));
    this.#row.erase(this.#x, Math.min(this.#x + count, this.#columns));
  }

  /** Takes cells out at the cursor. */
  deleteCharacters(count: number): void {
    this.moveTo(Math.min(this.#x, this.#columns - 1));
    this.#row.remove(this.#x, count);
  }

  /** Puts blank cells in at the cursor. */
  insertCharacters(count: number): void {
    this.moveTo(Math.min(this.#x, this.#columns - 1));
    this.#row.insert(this.#x, count, this.#columns);
  }

  /** Puts blank rows in at the cursor; what moves over the bottom of the screen is lost. */
  insertLines(count: number): void {
    this.#insertRows(Math.min(count, this.#height - this.#y));
    this.#x = 0;
  }

  /** Takes rows out, from the cursor on. */
  deleteLines(count: number): void {
    this.#rows.splice(this.#y, count);
    this.#fill();
    this.#x = 0;
  }

  /** Moves all rows up; those at the top leave the screen. */
  scrollUp(count: number): void {
    for (let left = Math.min(count, this.#height); left > 0; left -= 1) this.#scroll();
  }

  /** A full-screen program begins or ends: then what was there before it comes back. */
  alternate(on: boolean): void {
    if (on === (this.#behind !== null)) return;
    const { rows, saved } = this.#behind ?? { rows: [], saved: { x: 0, y: 0 } };
    this.#behind = on ? { rows: this.#rows, saved: this.#saved } : null;
    this.#rows = rows;
    this.#saved = saved;
    this.moveTo(this.#x, this.#y);
  }

  /** The terminal is as if it had just been switched on; what was on it stays in the text above. */
  reset(): void {
    this.alternate(false);
    this.#clear();
    this.moveTo(0, 0);
    this.save();
  }

  get #row(): Row {
    const row = this.#rows[this.#y];
    if (row === undefined) throw new TypeError('the cursor is in a row');
    return row;
  }

  #put(character: string, width: number): void {
    if (width === 0 && this.#x > 0 && this.#row.combine(this.#x, character)) return;
    const cells = Math.max(1, width);
    if (this.#x + cells > this.#columns) {
      this.#row.erase(this.#x, this.#columns);
      this.#x = 0;
      this.index();
      this.#row.wrapped = true;
    }
    const blanks = Math.max(0, this.#x - this.#row.length);
    if (blanks > this.#blanks) this.#x = this.#row.length;
    else this.#blanks -= blanks;
    this.#row.put(this.#x, character, cells);
    this.#x += cells;
  }

  #scroll(): void {
    this.#rows.push(new Row());
    const first = this.#rows.shift();
    if (this.#behind === null) this.#handOut(first, this.#rows[0]);
  }

  /** The rows down to the cursor are there. */
  #fill(): void {
    while (this.#rows.length <= this.#y) this.#rows.push(new Row());
  }

  #insertRows(count: number): void {
    this.#rows.splice(this.#y, 0, ...Array.from({ length: count }, () => new Row()));
    this.#rows.length = Math.min(this.#rows.length, this.#height);
  }

  /** What is on the screen goes into the text above it. */
  #clear(): void {
    for (let left = this.#rows.findLastIndex((row) => !row.isEmpty); left >= 0; left -= 1) this.#scroll();
    this.#fill();
  }

  /** @param next the row below; without one the line has no end yet. */
  #handOut(row: Row | undefined, next: Row | undefined): void {
    if (row === undefined) return;
    const { text, shown } = row;
    // That something which was shown is gone from the screen needs no line.
    if (shown === text || (shown !== null && text === '')) return;
    row.shown = text;
    const goesOn = next === undefined || (next.wrapped && next.shown !== next.text);
    this.#out += goesOn ? text : `${text}\n`;
  }
}

function blank(row: Row): void {
  row.erase(0, row.length);
  row.wrapped = false;
}

function unwrap(row: Row | undefined): void {
  if (row !== undefined) row.wrapped = false;
}
