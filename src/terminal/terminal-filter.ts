import { allowedCommand, allowedSequence, allowsControl, allowsEscape } from './allowed.ts';
import { type ControlSequence, type EscapeHandler, EscapeReader } from './escape-reader.ts';
import { PassedModes } from './passed-modes.ts';

/** A reset as far as it goes without what a person's terminal keeps above the screen. */
const softReset = '\x1b[!p\x1b[H\x1b[2J';

/**
 * Lets through to a person's terminal what draws on it, and nothing that could attack or confuse it: see allowed.ts. It takes
 * bytes in pieces of any size, and remembers which modes it has let through, so that they can be taken back.
 */
export class TerminalFilter implements EscapeHandler {
  readonly #reader = new EscapeReader(this);
  readonly #modes = new PassedModes();
  #out: Uint8Array[] = [];

  /** What may be written to the terminal of some bytes. What is half there waits for the rest. */
  pass(bytes: Uint8Array): Buffer {
    this.#reader.read(bytes);
    const passed = Buffer.concat(this.#out);
    this.#out = [];
    return passed;
  }

  /**
   * What to write on leaving, so that the terminal is as it was before: only the modes that were let through. Afterwards
   * there are none.
   */
  modesReset(): string {
    return this.#modes.reset();
  }

  text(bytes: Uint8Array): void {
    this.#out.push(bytes);
  }

  control(code: number): void {
    if (!allowsControl(code)) return;
    this.#modes.control(code);
    this.#out.push(Uint8Array.of(code));
  }

  escape(intermediates: string, final: string): void {
    if (intermediates === '' && final === 'c') this.#write(this.#modes.reset() + softReset);
    if (!allowsEscape(intermediates, final)) return;
    this.#modes.escape(intermediates, final);
    this.#write(`\x1b${intermediates}${final}`);
  }

  sequence(sequence: ControlSequence): void {
    const allowed = allowedSequence(sequence);
    if (allowed !== null) this.#write(this.#modes.sequence(allowed));
  }

  command(text: string): void {
    const allowed = allowedCommand(text);
    if (allowed !== null) this.#write(this.#modes.command(allowed));
  }

  #write(text: string): void {
    this.#out.push(Buffer.from(text));
  }
}
