import { characterEnd } from '../util/bytes.ts';
import { boundSequences, mendPrinting } from './bounded.ts';
import { Keyboard } from './keyboard.ts';
import { readLines, readModes, readState } from './read-state.ts';
import { restoreState } from './restore-state.ts';
import {
  cellNumbers,
  type LineState,
  type TerminalModes,
  type TerminalSize,
  type TerminalState,
} from './state.ts';
import { loadXterm, makeXterm, type Xterm, type XtermBuffer, type XtermLine } from './xterm.ts';

/** The state of the parser in which it is in no escape sequence. */
const ground = 0;

/** The first number of a cell in which nothing was written: one column wide. */
const blank = 1 << 22;

/** A terminal without a window: takes what a program writes, and knows what a person would see of it. */
export class Emulator implements Disposable {
  readonly #terminal: Xterm;
  readonly #keyboard: Keyboard;
  /** The beginning of a character: the emulator reads some wrongly of which it gets the bytes one by one. */
  #held: Buffer = Buffer.alloc(0);

  /** @param answered is told the answers to what programs ask the terminal, such as where the cursor is. */
  private constructor(from: TerminalSize | TerminalState, answered: (text: string) => void) {
    this.#terminal = makeXterm(from);
    this.#keyboard = new Keyboard(this.#terminal, 'pen' in from ? from.keyboard : undefined);
    boundSequences(this.#terminal);
    mendPrinting(this.#terminal);
    this.#terminal.onData(answered);
  }

  /** A terminal that shows nothing, or what it showed when a state was read. */
  static async open(from: TerminalSize | TerminalState, answered: (text: string) => void): Promise<Emulator> {
    await loadXterm();
    const emulator = new Emulator(from, answered);
    if ('pen' in from) restoreState(emulator.#terminal._core, from);
    return emulator;
  }

  /** Takes bytes at once, at about 15 MB/s: 16 KiB a call hold the process for a millisecond. */
  write(bytes: Uint8Array): void {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = characterEnd(all, all.length);
    this.#held = Buffer.from(all.subarray(end));
    this.#terminal._core._inputHandler.parse(all.subarray(0, end));
  }

  /** Gives the terminal another size, as of the bytes that come next. */
  resize({ cols, rows }: TerminalSize): void {
    if (cols === this.size.cols && rows === this.size.rows) return;
    this.#terminal.resize(cols, rows);
    const { buffers, _inputHandler: input } = this.#terminal._core;
    for (const buffer of [buffers.normal, buffers.alt]) {
      trim(buffer, cols);
      // It would give memory back later, and complain on stderr when that takes long.
      buffer._memoryCleanupQueue.clear();
    }
    // The character that the next one could join may be cut off.
    input._parser.precedingJoinState = 0;
  }

  get size(): TerminalSize {
    const { cols, rows } = this.#terminal._core;
    return { cols, rows };
  }

  /** No escape sequence and no character is half written, so {@link state} is all there is. */
  get isWhole(): boolean {
    return this.#held.length === 0 && !this.isInSequence;
  }

  /** An escape sequence is half written. */
  get isInSequence(): boolean {
    return this.#terminal._core._inputHandler._parser.currentState !== ground;
  }

  /** All there is, as plain data: only while {@link isWhole}. */
  get state(): TerminalState {
    return { ...readState(this.#terminal._core), keyboard: this.#keyboard.state };
  }

  /** The rows that show. */
  get lines(): LineState[] {
    const { active } = this.#terminal._core.buffers;
    return readLines(active, active.ybase, active.ybase + this.size.rows);
  }

  /** The cursor, from 0; in the column after the last one when the next character goes to the next row. */
  get cursor(): { readonly x: number; readonly y: number } {
    const { x, y } = this.#terminal._core.buffers.active;
    return { x, y };
  }

  get modes(): TerminalModes {
    return readModes(this.#terminal._core);
  }

  get showsAlternate(): boolean {
    const { active, alt } = this.#terminal._core.buffers;
    return active === alt;
  }

  /** As the program has set it: not yet fit to be shown. */
  get title(): string {
    return this.#terminal._core._inputHandler._windowTitle;
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }
}

/** A screen that became narrower keeps what was beyond its edge, and would show it again when it becomes wider. */
function trim(buffer: XtermBuffer, cols: number): void {
  for (let at = 0; at < buffer.lines.length; at += 1) {
    const line = buffer.lines.get(at);
    if (line === undefined) continue;
    if (line.length > cols) line.resize(cols, buffer.getNullCell());
    if (line.getWidth(cols - 1) === 2) clearCell(line, cols - 1);
  }
}

/** What has lost its second half at the edge is gone. */
function clearCell(line: XtermLine, column: number): void {
  line._data.set([blank, 0, 0], column * cellNumbers);
}
