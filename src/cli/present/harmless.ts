import { StringDecoder } from 'node:string_decoder';
import { harmlessText } from '../../model/plain-text.ts';

/** An escape that is longer is none that anybody means. */
const longestEscape = 4096;

/** Output on its way to a terminal, in chunks that may split characters and escapes. */
export class HarmlessStream {
  readonly #decoder = new StringDecoder('utf8');
  #held = '';

  /** What can be shown now. An escape at the end that is not complete waits for the next chunk. */
  push(bytes: Buffer): string {
    const text = this.#held + this.#decoder.write(bytes);
    const start = this.#openEscape(text);
    this.#held = text.slice(start);
    return harmlessText(text.slice(0, start));
  }

  /** The rest, and an end to any colour that was left on. */
  end(): string {
    const rest = harmlessText(this.#held + this.#decoder.end());
    this.#held = '';
    return `${rest}\x1b[0m`;
  }

  #openEscape(text: string): number {
    const at = text.lastIndexOf('\x1b');
    if (at < 0 || text.length - at > longestEscape) return text.length;
    const begun = text.slice(at + 1);
    // biome-ignore-start lint/suspicious/noControlCharactersInRegex: they end strings
    // Complete: a colour or a movement that has its last letter, a string that has its end, or two characters.
    const complete = begun.startsWith('[')
      ? /^\[[\d;:?<=>!"'#$%& ]*[@-~]/.test(begun)
      : /^[\]PX^_]/.test(begun)
        ? /[\x07\x9c\n]/.test(begun)
        : begun.length > 0;
    // biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above
    return complete ? text.length : at;
  }
}
