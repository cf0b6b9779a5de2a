import { StringDecoder } from 'node:string_decoder';
import { plainText } from '../../model/plain-text.ts';

/** A line that is longer is shown in pieces. */
const longestLine = 1024 ** 2;

/** Plain text of output that comes in chunks: a line can be folded only when all of it is there. */
export class PlainLines {
  readonly #decoder = new StringDecoder('utf8');
  #held = '';

  /** The lines that are complete now. */
  push(bytes: Buffer): string {
    const text = this.#held + this.#decoder.write(bytes);
    const end = text.length > longestLine ? text.length : text.lastIndexOf('\n') + 1;
    this.#held = text.slice(end);
    return plainText(text.slice(0, end));
  }

  /** The last line, which may have no end. */
  end(): string {
    const rest = plainText(this.#held + this.#decoder.end());
    this.#held = '';
    return rest;
  }
}
