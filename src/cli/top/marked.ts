import type { LineMatcher } from '../../model/line-search.ts';
import { inverse } from './view.ts';

/** Marking the matches costs at most this many steps a line; see `SearchCost`. */
const mostSteps = 500_000;

/** More matches of one line are not marked. */
const mostMatches = 100;

/**
 * The rows of a line, with what was looked for upside down.
 * @param starts where the rows begin in the text.
 */
export function marked(text: string, starts: readonly number[], matcher: LineMatcher | null): string[] {
  const matches = matcher === null ? [] : matchesIn(text, matcher);
  return starts.map((start, row) => {
    const end = starts[row + 1] ?? text.length;
    let shown = '';
    let at = start;
    for (const match of matches) {
      const [from, to] = [Math.max(start, match.from), Math.min(end, match.to)];
      if (from >= to) continue;
      shown += text.slice(at, from) + inverse(text.slice(from, to));
      at = to;
    }
    return shown + text.slice(at, end);
  });
}

function matchesIn(text: string, matcher: LineMatcher): { readonly from: number; readonly to: number }[] {
  const searched = text.slice(0, Math.floor(mostSteps / Math.max(1, matcher.steps)));
  const matches: { readonly from: number; readonly to: number }[] = [];
  let at = 0;
  while (matches.length < mostMatches) {
    const found = matcher.find(searched, at);
    if (found === null) break;
    at = found.index + Math.max(1, found.length);
    if (found.length > 0) matches.push({ from: found.index, to: found.index + found.length });
    if (at > searched.length) break;
  }
  return matches;
}
