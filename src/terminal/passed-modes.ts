import type { ControlSequence } from './escape-reader.ts';

/** Modes that a terminal has on by itself. */
const usuallyOn = new Set([7, 25]);

/** The alternate screen, and what switches to it. */
const alternateModes = new Set([47, 1047, 1049]);

/** A cursor that blinks: what a person has chosen comes back with the style of the cursor. */
const blinkMode = 12;

/** Saves the cursor, or restores it: that is no mode that stays. */
const saveMode = 1048;

/** What else is to be taken back. */
type Other = 'look' | 'charset' | 'region' | 'tabs' | 'cursor' | 'keypad' | 'keys' | 'link' | 'title';

/** Remembers what was switched at a person's terminal, so that it can be switched back. */
export class PassedModes {
  /** Modes that are not as they were, with what they are now. */
  readonly #private = new Map<number, boolean>();
  readonly #ansi = new Set<number>();
  readonly #others = new Set<Other>();
  /** The mode by which the alternate screen was entered. */
  #alternate: number | null = null;
  /** How many ways to report keys lie on those of the person, on each of the two screens. */
  readonly #keyboards = { normal: 0, alternate: 0 };

  control(code: number): void {
    if (code === 0x0e || code === 0x0f) this.#others.add('charset');
  }

  escape(intermediates: string, final: string): void {
    if (intermediates === '' && (final === '=' || final === '>')) this.#others.add('keypad');
    else if (intermediates === '' && final === 'H') this.#others.add('tabs');
    else if (intermediates === '#') return;
    else if (intermediates !== '' || 'no|}~'.includes(final)) this.#others.add('charset');
    else if (final === '8') this.#others.add('look').add('charset');
  }

  /** Notes what a sequence does. @returns what to write for it. */
  sequence(sequence: ControlSequence): string {
    const { prefix, intermediates, final } = sequence;
    if (prefix !== '' && final === 'u') return this.#keyboard(sequence);
    if (final === 'h' || final === 'l') return this.#switched(sequence);
    if (final === 'm') this.#others.add(prefix === '>' ? 'keys' : 'look');
    else if (final === 'r') this.#others.add('region');
    else if (final === 'g' || final === 'W') this.#others.add('tabs');
    else if (final === 'q') this.#others.add(intermediates === ' ' ? 'cursor' : 'look');
    return written(sequence);
  }

  /** Notes what a command does. @returns what to write for it. */
  command(text: string): string {
    const write = `\x1b]${text}\x1b\\`;
    if (text.startsWith('8;')) {
      this.#others.add('link');
      return write;
    }
    // The title that the terminal had is kept in the terminal.
    const first = !this.#others.has('title');
    this.#others.add('title');
    return first ? `\x1b[22;0t${write}` : write;
  }

  /** What takes all back; then there is nothing more. */
  reset(): string {
    const parts = [
      this.#others.has('link') ? '\x1b]8;;\x1b\\' : '',
      pop(this.#keyboards.alternate),
      this.#private.has(6) ? '\x1b[?6l' : '',
      this.#alternate === null ? '' : `\x1b[?${this.#alternate}l`,
      pop(this.#keyboards.normal),
      ...[...this.#private].map(([mode, on]) => (mode === 6 ? '' : `\x1b[?${mode}${on ? 'l' : 'h'}`)),
      ...[...this.#ansi].map((mode) => `\x1b[${mode}l`),
      // To set the region moves the cursor.
      this.#others.has('region') ? '\x1b7\x1b[r\x1b8' : '',
      this.#others.has('charset') ? '\x1b(B\x1b)B\x1b*B\x1b+B\x0f' : '',
      this.#others.has('look') ? '\x1b[0"q\x1b[0m' : '',
      this.#others.has('tabs') ? '\x1b[?5W' : '',
      this.#others.has('cursor') ? '\x1b[0 q' : '',
      this.#others.has('keypad') ? '\x1b>' : '',
      this.#others.has('keys') ? '\x1b[>4m' : '',
      this.#others.has('title') ? '\x1b[23;0t' : '',
    ];
    this.#private.clear();
    this.#ansi.clear();
    this.#others.clear();
    this.#alternate = null;
    this.#keyboards.normal = 0;
    this.#keyboards.alternate = 0;
    return parts.join('');
  }

  /** What a program has put on the keys of the alternate screen goes with it: later it could not be told from the person's own. */
  #switched(sequence: ControlSequence): string {
    const wasAlternate = this.#alternate !== null;
    this.#switch(sequence.prefix, sequence.parameters, sequence.final === 'h');
    if (!wasAlternate || this.#alternate !== null) return written(sequence);
    const count = this.#keyboards.alternate;
    this.#keyboards.alternate = 0;
    return `${pop(count)}${written(sequence)}`;
  }

  #switch(prefix: string, parameters: string, on: boolean): void {
    for (const mode of parameters.split(';').map(Number)) {
      if (prefix === '') {
        if (on) this.#ansi.add(mode);
        else this.#ansi.delete(mode);
      } else this.#switchPrivate(mode, on);
    }
  }

  #switchPrivate(mode: number, on: boolean): void {
    if (alternateModes.has(mode)) this.#alternate = on ? (this.#alternate ?? mode) : null;
    else if (mode === blinkMode) this.#others.add('cursor');
    else if (mode === saveMode) return;
    else if (on === usuallyOn.has(mode)) this.#private.delete(mode);
    else this.#private.set(mode, on);
  }

  /** A program takes off only what it has put on: below may be those of the person's shell. */
  #keyboard(sequence: ControlSequence): string {
    const { prefix, parameters } = sequence;
    const screen = this.#alternate === null ? 'normal' : 'alternate';
    const depth = this.#keyboards[screen];
    if (prefix === '<') {
      const count = Math.min(depth, Number(parameters) || 1);
      this.#keyboards[screen] -= count;
      return pop(count);
    }
    if (prefix === '>' || depth === 0) this.#keyboards[screen] += 1;
    return prefix === '=' && depth === 0 ? `\x1b[>u${written(sequence)}` : written(sequence);
  }
}

function pop(count: number): string {
  return count === 0 ? '' : `\x1b[<${count}u`;
}

function written({ prefix, parameters, intermediates, final }: ControlSequence): string {
  return `\x1b[${prefix}${parameters}${intermediates}${final}`;
}
