import { characterBytes, characterEnd } from '../util/bytes.ts';

/** A control sequence: what comes after `ESC [`. */
export interface ControlSequence {
  /** `?`, `>`, `<`, `=`, or nothing. */
  readonly prefix: string;
  /** Numbers, with `;` and `:` between them. */
  readonly parameters: string;
  readonly intermediates: string;
  /** The character that says what it does. */
  readonly final: string;
}

/** What is told of what is read. */
export interface EscapeHandler {
  /** Whole characters that are shown. */
  text(bytes: Uint8Array): void;
  /** A control character of ASCII, but for those that begin or end something. */
  control(code: number): void;
  /** An escape: what comes after `ESC`. */
  escape(intermediates: string, final: string): void;
  sequence(sequence: ControlSequence): void;
  /** A command to the terminal itself (OSC), such as a title: what stands between its beginning and its end. */
  command(text: string): void;
}

/** In the middle of what: text, after an escape, in a control sequence, in a command, in a string that nobody wants. */
type State = 'text' | 'escape' | 'sequence' | 'command' | 'string';

/** A sequence that is longer does nothing, and of a command that is longer nobody wants anything. */
const longestSequence = 256;
const longestCommand = 4096;

/** What begins a string that nobody wants: DCS, SOS, PM, APC. */
const strings = 'PX^_';

const escapeCode = 0x1b;

/** A control character that takes two bytes in UTF-8 (C1) is an escape and a letter. */
const firstC1 = 0x80;
const lettersFrom = 0x40;

/**
 * Reads bytes for a terminal in pieces of any size. Memory is bounded, whatever comes. It reads as terminals do that take
 * UTF-8; bytes that are none are left out.
 */
export class EscapeReader {
  readonly #handler: EscapeHandler;
  #state: State = 'text';
  /** What was read of an escape, a sequence or a command; null when it is too long. */
  #read: string | null = '';
  /** The beginning of a character. */
  #held: Buffer = Buffer.alloc(0);

  constructor(handler: EscapeHandler) {
    this.#handler = handler;
  }

  read(bytes: Uint8Array): void {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = characterEnd(all, all.length);
    this.#held = Buffer.from(all.subarray(end));
    const whole = all.subarray(0, end);
    for (let at = 0; at < end; ) at = this.#step(whole, at);
  }

  /** Takes what stands at an index, and gives the index after it. */
  #step(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80) return this.#long(bytes, at);
    if (byte === escapeCode) {
      if (this.#state === 'command') this.#endCommand();
      this.#begin('escape');
    } else if (byte === 0x18 || byte === 0x1a) this.#begin('text');
    else if (this.#state === 'command') this.#inCommand(byte);
    else if (this.#state === 'string') return at + 1;
    else if (byte < 0x20 || byte === 0x7f) this.#handler.control(byte);
    else if (this.#state === 'escape') this.#inEscape(String.fromCharCode(byte));
    else if (this.#state === 'sequence') return this.#inSequence(bytes, at);
    else return this.#text(bytes, at);
    return at + 1;
  }

  #begin(state: State): void {
    this.#state = state;
    this.#read = '';
  }

  #add(text: string, longest: number): void {
    if (this.#read === null) return;
    this.#read = this.#read.length + text.length > longest ? null : this.#read + text;
  }

  /** Printable ASCII up to its end. */
  #text(bytes: Uint8Array, from: number): number {
    let end = from + 1;
    while (end < bytes.length && isPrintable(bytes[end])) end += 1;
    this.#handler.text(bytes.subarray(from, end));
    return end;
  }

  /** A character of several bytes, or a byte that belongs to none. */
  #long(bytes: Uint8Array, at: number): number {
    const length = characterBytes(bytes, at);
    const next = at + Math.max(1, length);
    if (length === 0) return next;
    const character = bytes.subarray(at, next);
    if (character[0] === 0xc2 && (character[1] ?? 0) < 0xa0) this.#c1(character[1] ?? 0);
    else if (this.#state === 'command') this.#add(Buffer.from(character).toString(), longestCommand);
    else if (this.#state === 'text') this.#handler.text(character);
    // Within an escape or a sequence it ends that; no terminal shows it.
    else if (this.#state !== 'string') this.#begin('text');
    return next;
  }

  #c1(code: number): void {
    const letter = String.fromCharCode(code - firstC1 + lettersFrom);
    if (letter === '\\') {
      if (this.#state === 'command') this.#endCommand();
      this.#begin('text');
      return;
    }
    this.#begin('escape');
    this.#inEscape(letter);
  }

  #inEscape(character: string): void {
    if (character <= '/') {
      this.#add(character, longestSequence);
      return;
    }
    const intermediates = this.#read;
    this.#begin('text');
    if (intermediates === '' && character === '[') this.#begin('sequence');
    else if (intermediates === '' && character === ']') this.#begin('command');
    else if (intermediates === '' && strings.includes(character)) this.#begin('string');
    else if (intermediates !== null) this.#handler.escape(intermediates, character);
  }

  /** Numbers and what stands between them, up to the letter that ends it, or something that has no place in it. */
  #inSequence(bytes: Uint8Array, from: number): number {
    let end = from;
    while (end < bytes.length && (bytes[end] as number) >= 0x20 && (bytes[end] as number) < 0x40) end += 1;
    if (end > from)
      this.#add(
        String.fromCharCode(...bytes.subarray(from, Math.min(end, from + longestSequence + 1))),
        longestSequence,
      );
    const final = bytes[end];
    if (final === undefined || !isPrintable(final)) return end;
    const parts = /^([?><=]?)([\d;:]*)([ -/]*)$/.exec(this.#read ?? '!?');
    this.#begin('text');
    if (parts === null) return end + 1;
    const [, prefix = '', parameters = '', intermediates = ''] = parts;
    this.#handler.sequence({ prefix, parameters, intermediates, final: String.fromCharCode(final) });
    return end + 1;
  }

  #inCommand(byte: number): void {
    if (byte === 0x07) this.#endCommand();
    else if (byte >= 0x20) this.#add(String.fromCharCode(byte), longestCommand);
  }

  #endCommand(): void {
    const text = this.#read;
    this.#begin('text');
    if (text !== null) this.#handler.command(text);
  }
}

function isPrintable(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte < 0x7f;
}
