import { characterEnd } from '../util/bytes.ts';
import { Emulator } from './emulator.ts';
import { redraw } from './redraw.ts';
import { type Screen, type ScreenOptions, screenOf } from './screen.ts';
import { linesOn, type ScreenLine } from './screen-search.ts';
import type { TerminalSize, TerminalState } from './state.ts';

/** A terminal gets another size, as of the byte at an offset of its output. */
export interface Resize extends TerminalSize {
  readonly offset: number;
}

/** A terminal as it was when some of its output had been written. */
export interface Moment {
  readonly offset: number;
  readonly state: TerminalState;
  /** The last of its output, 4 KiB at most, by which it is known again. */
  readonly before: Uint8Array;
}

/** Bytes of output by which a {@link Moment} is known again. */
const beforeBytes = 4096;

/** Characters of answers to what is fed at once. A program that asks for more reads none of them. */
const mostAnswers = 4096;

/** How a {@link LiveScreen} begins. */
export interface LiveScreenOptions {
  /** The size of an empty terminal, or what was there at a moment. */
  readonly from: TerminalSize | Moment;
  /** Where the output begins that an empty terminal is fed with. @default 0 */
  readonly offset?: number;
  /**
   * Is told what the terminal answers to a question of the program (where the cursor is, what kind of terminal it is), to
   * be typed into the task. It is never told an answer to a question of the past.
   */
  readonly answer?: (text: string) => void;
}

/** How many characters of answers may still be told. */
interface Answers {
  left: number;
}

/** What a terminal shows, of a process that feeds it while its output grows. */
export class LiveScreen implements Disposable {
  readonly #emulator: Emulator;
  readonly #answers: Answers;
  #offset: number;
  /** Those that the output has not come to. */
  #resizes: Resize[] = [];
  #isExact = true;
  #before: Buffer = Buffer.alloc(0);

  private constructor(emulator: Emulator, answers: Answers, offset: number) {
    this.#emulator = emulator;
    this.#answers = answers;
    this.#offset = offset;
  }

  static async open({ from, offset = 0, answer }: LiveScreenOptions): Promise<LiveScreen> {
    const answers: Answers = { left: 0 };
    const answered = (text: string): void => {
      answers.left -= text.length;
      if (answers.left >= 0) answer?.(text);
    };
    const isMoment = 'state' in from;
    const emulator = await Emulator.open(isMoment ? from.state : from, answered);
    const live = new LiveScreen(emulator, answers, isMoment ? from.offset : offset);
    if (isMoment) live.#before = Buffer.from(from.before);
    return live;
  }

  /** The offset of the byte that comes next. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Takes the next bytes of the output, synchronously. 16 KiB block the process for a millisecond, so callers pass
   * longer output in pieces.
   * @param live whether the program has just written them, and waits for answers to its queries.
   */
  feed(bytes: Uint8Array, live = false): void {
    this.#answers.left = live ? mostAnswers : 0;
    let at = 0;
    for (const resize of this.#reached(this.#offset + bytes.length)) {
      const end = Math.max(at, at + resize.offset - this.#offset);
      this.#write(bytes.subarray(at, end));
      at = end;
      this.#emulator.resize(resize);
    }
    this.#write(bytes.subarray(at));
    this.#before = Buffer.concat([this.#before, bytes.subarray(-beforeBytes)]).subarray(-beforeBytes);
    this.#answers.left = 0;
  }

  /** Bytes of the output are lost: what comes next is at another offset. Nothing is kept for later of such a screen. */
  skipTo(offset: number): void {
    if (offset === this.#offset) return;
    this.#isExact = false;
    this.#offset = offset;
  }

  /**
   * The terminal has another size, from an offset on. The caller must report it before it feeds the bytes at that
   * offset. Later it takes effect at once, and outlive keeps no checkpoint of such a screen.
   */
  resize(resize: Resize): void {
    if (resize.offset < this.#offset) this.#isExact = false;
    this.#resizes = [...this.#resizes, resize].sort((a, b) => a.offset - b.offset);
    for (const { cols, rows } of this.#reached(this.#offset)) this.#emulator.resize({ cols, rows });
  }

  /** What shows now. */
  screen(options?: ScreenOptions): Screen {
    return screenOf(this.#emulator, options);
  }

  /** The lines that show now, for a search: see {@link linesOn}. */
  lines(): ScreenLine[] {
    return linesOn(this.#emulator);
  }

  /** The program has asked for application cursor keys: its terminal sends others for the arrows. */
  get hasApplicationKeys(): boolean {
    return this.#emulator.modes.applicationCursor;
  }

  /** The bytes after which a person's terminal shows what this one does: see {@link redraw}. */
  redraw(): Buffer {
    return Buffer.concat([Buffer.from(redraw(this.#emulator.state)), this.#halfWritten()]);
  }

  /** What there is now, to go on from later; null within an escape sequence, and where it would not be true. */
  moment(): Moment | null {
    if (!this.#isExact || !this.#emulator.isWhole) return null;
    return { offset: this.#offset, state: this.#emulator.state, before: this.#before };
  }

  [Symbol.dispose](): void {
    this.#emulator[Symbol.dispose]();
  }

  /** The beginning of an escape sequence or a character whose rest is going to come. */
  #halfWritten(): Buffer {
    if (this.#emulator.isWhole) return Buffer.alloc(0);
    if (!this.#emulator.isInSequence)
      return this.#before.subarray(characterEnd(this.#before, this.#before.length));
    const start = lastIntroducer(this.#before);
    return start < 0 ? longString : this.#before.subarray(start);
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#emulator.write(bytes);
    this.#offset += bytes.length;
  }

  /** Takes the changes of size up to an offset out of those that are to come. */
  #reached(offset: number): Resize[] {
    const reached = this.#resizes.filter((resize) => resize.offset <= offset);
    this.#resizes = this.#resizes.filter((resize) => resize.offset > offset);
    return reached;
  }
}

/** Begins a string that shows nothing (SOS): a sequence that is longer than what is known of it is one. */
const longString = Buffer.from('\x1bX');

/** Where the last escape sequence begins: with an escape, or with a control character of two bytes (C1). */
function lastIntroducer(bytes: Buffer): number {
  const c1 = [0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f].map((code) => bytes.lastIndexOf(Buffer.of(0xc2, code)));
  return Math.max(bytes.lastIndexOf(0x1b), ...c1);
}
