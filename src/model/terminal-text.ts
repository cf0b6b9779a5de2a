import { Screen } from './screen.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\x00-\x1f\x7f-\x9f]/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they end strings
const stringEnd = /[\x07\x1b\x9c\n]/g;

/** Parameters of a control sequence that is longer mean nothing. */
const longestSequence = 64;

/** Characters that act by themselves. */
const controls: Readonly<Record<string, (screen: Screen) => void>> = {
  '\b': (screen) => screen.backspace(),
  '\t': (screen) => screen.tab(),
  '\n': (screen) => screen.lineFeed(),
  '\v': (screen) => screen.lineFeed(),
  '\f': (screen) => screen.lineFeed(),
  '\r': (screen) => screen.carriageReturn(),
};

/** Characters after an escape. */
const escapes: Readonly<Record<string, (screen: Screen) => void>> = {
  7: (screen) => screen.save(),
  8: (screen) => screen.restore(),
  D: (screen) => screen.index(),
  E: (screen) => {
    screen.carriageReturn();
    screen.index();
  },
  M: (screen) => screen.reverseIndex(),
  c: (screen) => screen.reset(),
};

/** The last characters of control sequences, which say what they do; parameters are 1 when they are not there. */
const sequences: Readonly<Record<string, (screen: Screen, first: number, second: number) => void>> = {
  A: (screen, count) => screen.move(0, -count),
  B: (screen, count) => screen.move(0, count),
  C: (screen, count) => screen.move(count, 0),
  D: (screen, count) => screen.move(-count, 0),
  E: (screen, count) => {
    screen.move(0, count);
    screen.carriageReturn();
  },
  F: (screen, count) => {
    screen.move(0, -count);
    screen.carriageReturn();
  },
  G: (screen, column) => screen.moveTo(column - 1),
  H: (screen, row, column) => screen.moveTo(column - 1, row - 1),
  L: (screen, count) => screen.insertLines(count),
  M: (screen, count) => screen.deleteLines(count),
  P: (screen, count) => screen.deleteCharacters(count),
  S: (screen, count) => screen.scrollUp(count),
  X: (screen, count) => screen.eraseCharacters(count),
  '@': (screen, count) => screen.insertCharacters(count),
  '`': (screen, column) => screen.moveTo(column - 1),
  a: (screen, count) => screen.move(count, 0),
  d: (screen, row) => screen.moveToRow(row - 1),
  e: (screen, count) => screen.move(0, count),
  f: (screen, row, column) => screen.moveTo(column - 1, row - 1),
  s: (screen) => screen.save(),
  u: (screen) => screen.restore(),
};

/** Where the reader is: in text, after an escape, in a control sequence, in a title or another string. */
type State = 'text' | 'escape' | 'sequence' | 'string';

/**
 * Output as a terminal would have left it, without escapes and control characters but tabs and line breaks. It takes
 * text in pieces, however they are cut, and keeps no more of it than a screen has room for.
 */
export class TerminalText {
  readonly #screen: Screen;
  #state: State = 'text';
  #sequence = '';

  constructor(screen = new Screen()) {
    this.#screen = screen;
  }

  /** Takes a piece, and returns the lines that can no longer change. */
  write(text: string): string {
    for (let at = 0; at < text.length; ) at = this.#step(text, at);
    return this.#screen.take();
  }

  /** The lines that are complete so far, for somebody who waits. One that changes later is given again. */
  show(): string {
    this.#screen.show();
    return this.#screen.take();
  }

  /** The rest. */
  end(): string {
    this.#state = 'text';
    this.#screen.end();
    return this.#screen.take();
  }

  /** Takes the element at an index; returns the index after it. */
  #step(text: string, at: number): number {
    switch (this.#state) {
      case 'text':
        return this.#text(text, at);
      case 'escape':
        return this.#escape(text, at);
      case 'sequence':
        return this.#inSequence(text, at);
      case 'string':
        return this.#inString(text, at);
    }
  }

  #text(text: string, at: number): number {
    control.lastIndex = at;
    const end = control.test(text) ? control.lastIndex - 1 : text.length;
    if (end > at) this.#screen.print(text.slice(at, end));
    if (end === text.length) return end;
    this.#control(text[end] ?? '');
    return end + 1;
  }

  #control(character: string): void {
    if (character === '\x1b') this.#begin('escape');
    else if (character === '\x9b') this.#begin('sequence');
    else if ('\x90\x98\x9d\x9e\x9f'.includes(character)) this.#begin('string');
    else controls[character]?.(this.#screen);
  }

  #begin(state: State): void {
    this.#state = state;
    this.#sequence = '';
  }

  /** Behind an escape come intermediate characters, which only choose character sets, and one that says what it is. */
  #escape(text: string, at: number): number {
    const character = text[at] ?? '';
    if (character >= ' ' && character <= '/') {
      this.#sequence = character;
      return at + 1;
    }
    this.#state = 'text';
    if (character < '0' || character > '~') return at;
    if (this.#sequence !== '') return at + 1;
    if (character === '[') this.#begin('sequence');
    else if (']PX^_'.includes(character)) this.#begin('string');
    else escapes[character]?.(this.#screen);
    return at + 1;
  }

  #inSequence(text: string, at: number): number {
    const character = text[at] ?? '';
    if (character >= ' ' && character <= '?') {
      if (this.#sequence.length < longestSequence) this.#sequence += character;
      return at + 1;
    }
    this.#state = 'text';
    if (character < '@' || character > '~') return at;
    this.#perform(character);
    return at + 1;
  }

  /** A title, a link: up to its end, a line break (so that one without an end hides nothing), or an escape. */
  #inString(text: string, at: number): number {
    stringEnd.lastIndex = at;
    if (!stringEnd.test(text)) return text.length;
    this.#state = 'text';
    const end = stringEnd.lastIndex - 1;
    return text[end] === '\n' || text[end] === '\x1b' ? end : end + 1;
  }

  #perform(what: string): void {
    const parameters = this.#sequence;
    if (/^\?(?:47|1047|1049)$/.test(parameters)) this.#alternate(what, parameters === '?1049');
    // What else is private, or has intermediate characters, moves nothing.
    if (!/^[\d;:]*$/.test(parameters)) return;
    const [first = 0, second = 0] = parameters
      .split(';')
      .map((number) => Math.min(Number(number) || 0, 9_999));
    sequences[what]?.(this.#screen, Math.max(1, first), Math.max(1, second));
    if (what === 'J') this.#screen.eraseInDisplay(first);
    if (what === 'K') this.#screen.eraseInLine(first);
  }

  #alternate(what: string, withCursor: boolean): void {
    if (what !== 'h' && what !== 'l') return;
    if (what === 'h' && withCursor) this.#screen.save();
    this.#screen.alternate(what === 'h');
    if (what === 'l' && withCursor) this.#screen.restore();
  }
}
