import { StringDecoder } from 'node:string_decoder';
import { TerminalText } from '../../model/terminal-text.ts';

/** Plain text of output that comes in chunks: what may still be written over waits. */
export class PlainLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #terminal = new TerminalText();

  /** The lines that can no longer change. */
  push(bytes: Buffer): string {
    return this.#terminal.write(this.#decoder.write(bytes));
  }

  /** The lines that are complete, for somebody who waits for more. One that is written over later comes again. */
  show(): string {
    return this.#terminal.show();
  }

  /** The rest; the last line may have no end. */
  end(): string {
    return this.#terminal.write(this.#decoder.end()) + this.#terminal.end();
  }
}
