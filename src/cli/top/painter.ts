/** Cells of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Terminals that know it show what is between the two at once; to others it is nothing. */
const together = { begin: '\x1b[?2026h', end: '\x1b[?2026l' } as const;

/** Draws lines on a terminal, and of those only what has changed. */
export class Painter {
  readonly #write: (text: string) => void;
  #shown: readonly string[] | null = null;
  #cursor: number | null = null;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** What stands on the terminal is not what was drawn last. */
  forget(): void {
    this.#shown = null;
  }

  /** @param cursor the column at which somebody types on the last row; `null`: no cursor is shown. */
  paint(lines: readonly string[], { rows }: Size, cursor: number | null): void {
    const wanted = Array.from({ length: rows }, (_, row) => lines[row] ?? '');
    const changes = wanted.flatMap((line, row) =>
      this.#shown?.[row] === line ? [] : [`\x1b[${row + 1};1H\x1b[0m\x1b[2K${line}`],
    );
    if (changes.length === 0 && cursor === this.#cursor) return;
    const first = this.#shown === null ? '\x1b[0m\x1b[2J' : '';
    const last = cursor === null ? '\x1b[0m\x1b[?25l' : `\x1b[0m\x1b[${rows};${cursor + 1}H\x1b[?25h`;
    this.#write(`${together.begin}${first}${changes.join('')}${last}${together.end}`);
    this.#shown = wanted;
    this.#cursor = cursor;
  }
}
