import { OutliveError, shown } from './error.ts';

/** The names of all options of a type. The compiler refuses a list that lacks one, or has one that the type lacks. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/**
 * Refuses unknown options: otherwise a misspelt option would have no effect.
 * @param what the function that takes the options, as the message names it, such as `session.spawn()`.
 * @returns the options.
 * @throws OutliveError `INVALID_ARGUMENT`, with the unknown names in `details.options`.
 */
export function checkOptions<Options extends object>(
  what: string,
  options: Options,
  names: OptionNames<Options>,
): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const found = Array.isArray(options) ? 'an array' : options === null ? 'null' : typeof options;
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected the options of ${what} to be an object; found ${found}.`,
    );
  }
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(names, name));
  if (unknown.length === 0) return options;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected options that ${what} has; found ${sayUnknown(unknown, Object.keys(names))}`,
    { details: { options: unknown } },
  );
}

/** The rest of a message: the names that are unknown, the nearest ones, and those that there are. */
export function sayUnknown(unknown: readonly string[], known: readonly string[]): string {
  const found = unknown.slice(0, 5).map((name) => {
    const meant = nearest(name, known);
    return meant === null ? shown(name) : `${shown(name)} (did you mean ${shown(meant)}?)`;
  });
  const list = known.length === 0 ? 'There are none.' : `There are: ${[...known].sort().join(', ')}.`;
  return `${found.join(', ')}. ${list}`;
}

/** The name that the caller may have meant; null if none is close. */
function nearest(name: string, known: readonly string[]): string | null {
  const wanted = plain(name);
  if (wanted === '' || wanted.length > 64) return null;
  let best: string | null = null;
  let least = Math.max(1, wanted.length / 3);
  for (const candidate of known) {
    const far = distance(wanted, plain(candidate));
    if (far > least || (far === least && best !== null)) continue;
    best = candidate;
    least = far;
  }
  return best;
}

/** `timeout_ms` and `timeoutMs` are the same to people. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** How far two names are apart: less than 1 when one is in the other, else in letters that differ (Levenshtein). */
function distance(a: string, b: string): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length > 2 && long.includes(short)) return 1 - short.length / long.length;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
