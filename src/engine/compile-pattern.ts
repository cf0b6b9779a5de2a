import type { RE2JS } from 're2js';
import { OutliveError } from '../errors/error.ts';
import type { LineMatcher } from '../model/line-search.ts';
import type { PatternSource } from '../model/pattern.ts';

/**
 * Makes a pattern ready to be matched. The engine for regular expressions is loaded by the first one: who
 * uses none pays nothing for it.
 * @throws OutliveError `INVALID_ARGUMENT` for what cannot be matched in linear time.
 */
export async function compilePattern(source: PatternSource): Promise<LineMatcher> {
  if ('text' in source) return textMatcher(source.text);
  const { RE2JS: Engine } = await import('re2js');
  const flags =
    (source.flags.includes('i') ? Engine.CASE_INSENSITIVE : 0) |
    (source.flags.includes('m') ? Engine.MULTILINE : 0) |
    (source.flags.includes('s') ? Engine.DOTALL : 0);
  try {
    return regexpMatcher(Engine.compile(Engine.translateRegExp(source.regexp), flags));
  } catch (cause) {
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected a regular expression that can be matched in linear time; found ${cause instanceof Error ? cause.message : String(cause)}. Look-around and back-references are not supported: see docs/api.md, "Patterns".`,
      { cause },
    );
  }
}

function textMatcher(text: string): LineMatcher {
  return (line, from) => {
    const index = line.indexOf(text, from);
    return index < 0 ? null : { index, length: text.length, groups: [] };
  };
}

function regexpMatcher(regexp: RE2JS): LineMatcher {
  return (line, from) => {
    // Whether it matches is told much faster than where, and most lines do not.
    if (from === 0 && !regexp.test(line)) return null;
    const matcher = regexp.matcher(line);
    if (!matcher.find(from)) return null;
    const [index, count] = [matcher.start(), matcher.groupCount()];
    const groups = Array.from({ length: count }, (_, group) => matcher.group(group + 1));
    return { index, length: matcher.end() - index, groups };
  };
}
