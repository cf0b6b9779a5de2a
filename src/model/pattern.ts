import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { bounds } from './limits.ts';

/**
 * What to look for in a line of output: a text that stands in it, or a regular expression, as an object of
 * JavaScript or as source and flags. Regular expressions are matched in linear time, so those that need
 * more are refused: look-around and back-references.
 */
export type Pattern = string | RegExp | RegexpPattern;

/** A regular expression as data. */
export interface RegexpPattern {
  /** As in JavaScript or RE2, without look-around and back-references. */
  readonly regexp: string;
  /** Of `i` (case does not matter), `m` and `s`; `d`, `g`, `u` and `y` change nothing. @default none */
  readonly flags?: string;
}

const regexpPatternNames: OptionNames<RegexpPattern> = { regexp: true, flags: true };

/** A pattern as it is kept in records. */
export type PatternSource = { readonly text: string } | Required<RegexpPattern>;

/** Flags of JavaScript that this matching knows, and those that mean nothing to it. */
const knownFlags = /^[imsdguy]*$/;

/**
 * A pattern as plain data.
 * @throws OutliveError `INVALID_ARGUMENT`. Whether a regular expression can be matched, compiling it tells.
 */
export function checkPattern(pattern: unknown): PatternSource {
  if (typeof pattern === 'string') return { text: checkSource(pattern) };
  if (pattern instanceof RegExp) return checkRegexp(pattern.source, pattern.flags);
  if (typeof pattern === 'object' && pattern !== null && 'regexp' in pattern) {
    const { regexp, flags = '' } = checkOptions('a pattern', pattern as RegexpPattern, regexpPatternNames);
    return checkRegexp(regexp, flags);
  }
  return refuse('a text, a RegExp, or { regexp, flags }', shown(pattern));
}

function checkRegexp(regexp: unknown, flags: unknown): PatternSource {
  if (typeof flags !== 'string' || !knownFlags.test(flags)) {
    refuse('a regular expression with flags of i, m, s (and d, g, u, y)', `the flags ${shown(flags)}`);
  }
  return { regexp: checkSource(regexp), flags: flags as string };
}

function checkSource(source: unknown): string {
  const bytes = typeof source === 'string' ? Buffer.byteLength(source) : 0;
  if (typeof source !== 'string' || bytes === 0 || bytes > bounds.patternBytes) {
    refuse(
      `of 1 to ${bounds.patternBytes} bytes`,
      typeof source === 'string' ? `${bytes} bytes` : shown(source),
    );
  }
  if (/[\r\n]/.test(source as string)) {
    refuse('on one line, since output is searched line by line', 'a line break in it');
  }
  return source as string;
}

function refuse(expected: string, found: string): never {
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the pattern to be ${expected}; found ${found.slice(0, 200)}. See docs/api.md, "Patterns".`,
  );
}
