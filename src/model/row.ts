/** A cell of a row: a character with what combines with it; `''`: the rest of a wide one, or of a tab; `null`: blank. */
type Cell = string | null;

const longestCell = 64;

/** One row of a {@link Screen}. Nothing in it knows how wide the screen is. */
export class Row {
  /** The screen was not wide enough for the row above, which goes on here. */
  wrapped: boolean;
  /** What was handed out of it before the screen was done with it; `null`: nothing yet. */
  shown: string | null = null;
  /** The cells while each of them is one printable character of ASCII, which is nearly always. */
  #simple: string | null = '';
  #cells: Cell[] = [];

  constructor(wrapped = false) {
    this.wrapped = wrapped;
  }

  /** Cells up to the last one that is not blank. */
  get length(): number {
    return this.#simple?.length ?? this.#cells.length;
  }

  /** The row as text, without the blanks at its end. */
  get text(): string {
    return this.#simple ?? this.#cells.map((cell) => cell ?? ' ').join('');
  }

  /** Nothing was written here but tabs. */
  get isEmpty(): boolean {
    return this.#simple === null
      ? this.#cells.every((cell) => cell === null || cell === '' || cell === '\t')
      : this.#simple === '';
  }

  /**
   * Writes printable ASCII up to the end of the row, or beyond: what nearly all text does.
   * @returns false when that is not what it would do.
   */
  write(x: number, text: string): boolean {
    const before = this.#simple;
    if (before === null || x > before.length || x + text.length < before.length) return false;
    this.#simple = before.slice(0, x) + text;
    return true;
  }

  /** Writes a character over what is there. A wide one that this cuts in two becomes blank. */
  put(x: number, character: string, width: number): void {
    const cells = this.#open();
    while (cells.length < x) cells.push(null);
    this.#split(x);
    this.#split(x + width);
    cells[x] = character;
    for (let at = x + 1; at < x + width; at += 1) cells[at] = '';
  }

  /**
   * Adds a character without width to the character before `x`.
   * @returns false if that character has more marks than any writing system uses.
   */
  combine(x: number, mark: string): boolean {
    const cells = this.#open();
    while (cells.length < x) cells.push(null);
    let at = x - 1;
    while (at > 0 && cells[at] === '') at -= 1;
    const character = cells[at] ?? ' ';
    if (character.length >= longestCell) return false;
    cells[at] = character + mark;
    return true;
  }

  /** Makes the cells from `from` up to `to` blank. */
  erase(from: number, to: number): void {
    if (from >= this.length) return;
    const cells = this.#open();
    this.#split(from);
    this.#split(to);
    cells.fill(null, from, Math.min(to, cells.length));
    this.#trim();
  }

  /** Removes cells; the cells after them move left. */
  remove(x: number, count: number): void {
    if (x >= this.length) return;
    const cells = this.#shifting();
    this.#split(x);
    this.#split(x + count);
    cells.splice(x, count);
    this.#trim();
  }

  /** Inserts blank cells; the cells after them move right, and are lost where they leave the screen. */
  insert(x: number, count: number, columns: number): void {
    if (x >= this.length) return;
    const cells = this.#shifting();
    this.#split(x);
    cells.splice(x, 0, ...new Array<null>(Math.min(count, columns - x)).fill(null));
    this.#split(columns);
    cells.length = Math.min(cells.length, columns);
    this.#trim();
  }

  #open(): Cell[] {
    if (this.#simple !== null) {
      this.#cells = [...this.#simple];
      this.#simple = null;
    }
    return this.#cells;
  }

  /** The cells, before some of them move: a tab is as wide as it is only where it stands. */
  #shifting(): Cell[] {
    const cells = this.#open();
    for (const [at, cell] of cells.entries()) if (cell?.startsWith('\t')) this.#blank(at);
    return cells;
  }

  /** What has cells on both sides of `x` becomes blank. */
  #split(x: number): void {
    if (x <= 0 || this.#cells[x] !== '') return;
    let first = x - 1;
    while (this.#cells[first] === '') first -= 1;
    this.#blank(first);
  }

  /** Makes a character blank, by its first cell. */
  #blank(first: number): void {
    let end = first + 1;
    while (this.#cells[end] === '') end += 1;
    this.#cells.fill(null, first, end);
  }

  #trim(): void {
    while (this.#cells.at(-1) === null) this.#cells.pop();
  }
}
