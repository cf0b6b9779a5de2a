import type { RE2JS } from 're2js';
import { OutliveError } from '../../errors/error.ts';
import { bounds } from '../../model/limits.ts';
import type { LineMatcher } from '../../model/line-search.ts';
import type { PatternSource } from '../../model/pattern.ts';
import { costOfRegexp, costOfText } from '../../model/pattern-cost.ts';
import { estimatedInstructions } from '../../model/pattern-estimate.ts';

/** An estimate may be this many times too high, because compiling merges what alternatives have in common. */
const estimateMargin = 2;

/**
 * Makes a pattern ready to be matched. The engine for regular expressions is loaded by the first one: who
 * uses none pays nothing for it.
 * @throws OutliveError `INVALID_ARGUMENT` for what cannot be matched in linear time, or costs too much for each
 *   character.
 */
export async function compilePattern(source: PatternSource): Promise<LineMatcher> {
  if ('text' in source) return textMatcher(source.text);
  checkSteps(estimatedInstructions(source.regexp), bounds.patternSteps * estimateMargin);
  const { RE2JS: Engine } = await import('re2js');
  const flags =
    (source.flags.includes('i') ? Engine.CASE_INSENSITIVE : 0) |
    (source.flags.includes('m') ? Engine.MULTILINE : 0) |
    (source.flags.includes('s') ? Engine.DOTALL : 0);
  return regexpMatcher(compile(() => Engine.compile(Engine.translateRegExp(source.regexp), flags)));
}

function compile(make: () => RE2JS): RE2JS {
  try {
    return make();
  } catch (cause) {
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected a regular expression that can be matched in linear time; found ${cause instanceof Error ? cause.message : String(cause)}. Look-around and back-references are not supported: see docs/api.md, "Patterns".`,
      { cause },
    );
  }
}

function textMatcher(text: string): LineMatcher {
  return {
    ...costOfText(text),
    find(line, from) {
      const index = line.indexOf(text, from);
      return index < 0 ? null : { index, length: text.length, groups: [] };
    },
  };
}

function regexpMatcher(regexp: RE2JS): LineMatcher {
  const cost = costOfRegexp(regexp.programSize(), regexp.groupCount());
  checkSteps(cost.steps, bounds.patternSteps);
  return {
    ...cost,
    find(line, from) {
      // Whether it matches is told much faster than where, and most lines do not. One character before `from` tells that
      // no line begins there.
      if (!regexp.test(from === 0 ? line : line.slice(from - 1))) return null;
      const matcher = regexp.matcher(line);
      if (!matcher.find(from)) return null;
      const [index, count] = [matcher.start(), matcher.groupCount()];
      const groups = Array.from({ length: count }, (_, group) => matcher.group(group + 1));
      return { index, length: matcher.end() - index, groups };
    },
  };
}

function checkSteps(found: number, most: number): void {
  if (found <= most) return;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected a regular expression that takes at most ${bounds.patternSteps} steps for a character; found about ${found}. A repeat such as {0,500} counts as often as it may repeat, and groups count extra: use *, a shorter pattern, or (?:...) for groups that are not needed. See docs/api.md, "Patterns".`,
  );
}
