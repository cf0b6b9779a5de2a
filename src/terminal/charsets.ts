import { makeXterm, type XtermCore } from './xterm.ts';

/** The letters that designate the character sets of the emulator. */
const letters = '0A4C5RQKYEZH=';

let known: ReadonlyMap<string, object> | undefined;

/** The character sets of the emulator by their letters. It does not say them, so each is asked for once. */
function charsets(): ReadonlyMap<string, object> {
  if (known !== undefined) return known;
  const terminal = makeXterm({ cols: 2, rows: 1 });
  const found = new Map<string, object>();
  for (const letter of letters) {
    terminal._core._inputHandler.parse(Buffer.from(`\x1b(${letter}`));
    const set = terminal._core._charsetService._charsets[0];
    if (set !== undefined) found.set(letter, set);
  }
  terminal.dispose();
  known = found;
  return found;
}

/** The letter of a character set; null: ASCII. */
export function letterOf(set: object | undefined): string | null {
  if (set === undefined) return null;
  for (const [letter, found] of charsets()) if (found === set) return letter;
  return null;
}

/** The character set of a letter; ASCII of one that is none. */
export function charsetOf(letter: string | null): object | undefined {
  return letter === null ? undefined : charsets().get(letter);
}

/** The sets G0 to G3. */
export function lettersOf({ _charsetService: { _charsets: sets } }: XtermCore): (string | null)[] {
  return [0, 1, 2, 3].map((level) => letterOf(sets[level]));
}
