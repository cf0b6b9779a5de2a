import { StringDecoder } from 'node:string_decoder';
import { harmlessText } from '../../model/plain-text.ts';

/** No real escape is longer. */
const longestEscape = 4096;

// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins a colour
const paint = /\x1b\[[\d;:]*m/g;

/** Output on its way to a terminal, in chunks that may split characters and escapes. */
export class HarmlessStream {
  readonly #decoder = new StringDecoder('utf8');
  #held = '';
  #isPainted = false;

  /** What can be shown now. An escape at the end that is not complete waits for the next chunk. */
  push(bytes: Buffer): string {
    const text = this.#held + this.#decoder.write(bytes);
    const start = this.#openEscape(text);
    this.#held = text.slice(start);
    return this.#seen(harmlessText(text.slice(0, start)));
  }

  /** The rest, and an end to any colour that was left on. */
  end(): string {
    const rest = this.#seen(harmlessText(this.#held + this.#decoder.end()));
    this.#held = '';
    return this.#isPainted ? `${rest}\x1b[0m` : rest;
  }

  #seen(text: string): string {
    const last = text.match(paint)?.at(-1);
    if (last !== undefined) this.#isPainted = !/\[0?m$/.test(last);
    return text;
  }

  #openEscape(text: string): number {
    const at = text.lastIndexOf('\x1b');
    if (at < 0 || text.length - at > longestEscape) return text.length;
    // An escape may be the first half of what ends a string.
    const string = at === text.length - 1 ? text.lastIndexOf('\x1b', at - 1) : -1;
    if (at > 0 && string >= 0 && at - string <= longestEscape && isOpenString(text.slice(string + 1, at)))
      return string;
    const begun = text.slice(at + 1);
    // biome-ignore-start lint/suspicious/noControlCharactersInRegex: they end strings
    // Complete: a colour or a movement that has its last letter, a string that has its end, or two characters.
    const complete = begun.startsWith('[')
      ? /^\[[\d;:?<=>!"'#$%& ]*[@-~]/.test(begun)
      : begun.length > 0 && !isOpenString(begun);
    // biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above
    return complete ? text.length : at;
  }
}

/** Behind an escape: a string (a title, a link) without its end. */
function isOpenString(begun: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they end strings
  return /^[\]PX^_][^\x07\x9c\n]*$/.test(begun);
}
