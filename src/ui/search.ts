import type { StoreTask } from '../api/store-task.ts';
import { escapedForRegexp } from './escaped.ts';
import { shownText } from './log-lines.ts';
import type { Request, SearchData } from './protocol.ts';

/** How many hits it finds before it stops; the page can then ask for more. */
const mostHits = 500;

/** How many hits go in one message. */
const hitsAtOnce = 50;

/** How many characters of its line a hit shows. */
const mostLineCharacters = 400;

/**
 * Searches an output for lines with a match, from an offset to its present end. The library's own search does the work,
 * in linear time and in small steps.
 */
export async function* search(
  task: StoreTask,
  request: Extract<Request, { kind: 'search' }>,
  abortSignal: AbortSignal,
): AsyncGenerator<SearchData, void, undefined> {
  const { pattern, isRegexp, ignoreCase, stream, offset } = request;
  const source = isRegexp ? pattern : escapedForRegexp(pattern);
  // A search for text in exact case is much faster than one for a regular expression.
  const meant = isRegexp || ignoreCase ? { regexp: source, flags: ignoreCase ? 'i' : '' } : pattern;
  const found = task.watch(meant, { from: offset, stream, wait: false, maxPerSecond: null, abortSignal });
  let count = 0;
  let hits: SearchData['hits'][number][] = [];
  for await (const match of found) {
    const { line, text, lineOffset, nextOffset } = match;
    const at = Math.max(0, line.indexOf(text) - mostLineCharacters / 4);
    const part = line.slice(at, at + mostLineCharacters);
    hits.push({
      offset: match.offset,
      lineOffset,
      line: shownText(at > 0 ? `…${part}` : part),
      text: shownText(text.slice(0, mostLineCharacters)),
    });
    count += 1;
    if (count === mostHits) return yield { hits, to: nextOffset };
    if (hits.length < hitsAtOnce) continue;
    yield { hits, to: null };
    hits = [];
  }
  yield { hits, to: null };
}
