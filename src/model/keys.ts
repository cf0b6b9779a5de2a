/** The keys that have names, beside `ctrl-` and `alt-` with a character, and what a terminal sends for each. */
const named: Readonly<Record<string, string>> = {
  enter: '\r',
  escape: '\x1b',
  tab: '\t',
  'shift-tab': '\x1b[Z',
  space: ' ',
  backspace: '\x7f',
  delete: '\x1b[3~',
  insert: '\x1b[2~',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  home: '\x1b[H',
  end: '\x1b[F',
  'page-up': '\x1b[5~',
  'page-down': '\x1b[6~',
  f1: '\x1bOP',
  f2: '\x1bOQ',
  f3: '\x1bOR',
  f4: '\x1bOS',
  f5: '\x1b[15~',
  f6: '\x1b[17~',
  f7: '\x1b[18~',
  f8: '\x1b[19~',
  f9: '\x1b[20~',
  f10: '\x1b[21~',
  f11: '\x1b[23~',
  f12: '\x1b[24~',
};

/** What a program that has asked for "application cursor keys" gets instead. */
const inApplications: Readonly<Record<string, string>> = {
  up: '\x1bOA',
  down: '\x1bOB',
  right: '\x1bOC',
  left: '\x1bOD',
  home: '\x1bOH',
  end: '\x1bOF',
};

/** The names of keys, for help and messages. */
export const keyNames: readonly string[] = [...Object.keys(named), 'ctrl-X', 'alt-X'];

/**
 * What a terminal sends when a key is pressed.
 * @param name one of {@link keyNames}, in any case; X stands for a character: `ctrl-c`, `alt-b`, `ctrl-[`.
 * @param isApplication the program has asked for application cursor keys (DECCKM).
 * @returns null for a name that is none.
 */
export function keyBytes(name: string, isApplication = false): string | null {
  const lower = name.toLowerCase();
  if (isApplication && Object.hasOwn(inApplications, lower)) return inApplications[lower] ?? null;
  if (Object.hasOwn(named, lower)) return named[lower] ?? null;
  if (lower.startsWith('ctrl-')) return control(lower.slice('ctrl-'.length));
  if (!lower.startsWith('alt-')) return null;
  const key = name.slice('alt-'.length);
  const bytes = [...key].length === 1 ? key : keyBytes(key, isApplication);
  return bytes === null ? null : `\x1b${bytes}`;
}

/** A terminal has 32 control characters, and DEL: of `@` to `_`, and of `?`. */
function control(key: string): string | null {
  if (key === 'space') return '\0';
  if (key === '?') return '\x7f';
  const code = key.length === 1 ? key.toUpperCase().charCodeAt(0) : 0;
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code - 0x40) : null;
}
