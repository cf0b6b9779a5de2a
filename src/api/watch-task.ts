import { randomBytes } from 'node:crypto';
import { compilePattern } from '../engine/compile-pattern.ts';
import type { SessionContext } from '../engine/context.ts';
import { observe } from '../engine/observe.ts';
import { openWatch, openWatches } from '../engine/pattern-watches.ts';
import type { Stream } from '../engine/streams.ts';
import { OutliveError } from '../errors/error.ts';
import { bounds } from '../model/limits.ts';
import { checkPattern, type Pattern, type PatternSource } from '../model/pattern.ts';
import { taskNotFound } from './errors.ts';
import { type Feed, matchFeed, type WatchMatch } from './match-feed.ts';
import { checkMatchOptions, checkPlace, type WatchOptions } from './watch-options.ts';

/** What a durable watch is to look at. */
export interface AddWatchOptions extends Pick<WatchOptions, 'from' | 'stream'> {
  /**
   * Names it within its task: 1 to 64 letters, digits, `.`, `_` and `-`. To add one that is open, with the same
   * pattern, changes nothing. @default a random one
   */
  readonly id?: string;
}

/** A durable watch. */
export interface WatchSummary {
  readonly id: string;
  /** As plain data: a text, or `{ regexp, flags }`. */
  readonly pattern: Pattern;
  readonly stream: Stream;
  readonly from: number;
}

/** Yields the matches of a pattern in the output of a task. */
export function watchTask(
  context: SessionContext,
  taskId: string,
  pattern: Pattern,
  options: WatchOptions,
): AsyncGenerator<WatchMatch, void, undefined> {
  const feed = { ...checkMatchOptions(options), ...checkPlace(options), taskId };
  if (observe(context, taskId) === null) throw taskNotFound(context.sessionId, taskId);
  return feedOn(context, feed, checkPattern(pattern));
}

async function* feedOn(
  context: SessionContext,
  feed: Omit<Feed, 'matcher' | 'lineIsSeen' | 'holds'>,
  pattern: PatternSource,
): AsyncGenerator<WatchMatch, void, undefined> {
  const matcher = await compilePattern(pattern);
  yield* matchFeed(context, { ...feed, matcher, lineIsSeen: false, holds: true });
}

/**
 * Opens a durable watch.
 * @returns its id.
 */
export async function addWatch(
  context: SessionContext,
  taskId: string,
  pattern: Pattern,
  options: AddWatchOptions,
): Promise<string> {
  const source = checkPattern(pattern);
  const id = checkWatchId(options.id ?? randomBytes(4).toString('hex'));
  const place = checkPlace(options);
  await compilePattern(source);
  if (observe(context, taskId) === null) throw taskNotFound(context.sessionId, taskId);
  openWatch(context, taskId, { fact: 'watch', id, pattern: source, ...place, at: Date.now() });
  return id;
}

/** The durable watches of a task that are open. */
export function watchesOf(context: SessionContext, taskId: string): WatchSummary[] {
  return openWatches(context, taskId).map(({ fact: { id, pattern, stream, from } }) => ({
    id,
    pattern: 'text' in pattern ? pattern.text : pattern,
    stream,
    from,
  }));
}

function checkWatchId(id: unknown): string {
  if (typeof id === 'string' && id.length <= bounds.watchIdChars && /^[A-Za-z0-9._-]+$/.test(id)) return id;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the id of a watch to be 1 to ${bounds.watchIdChars} letters, digits, ".", "_" and "-"; found ${JSON.stringify(id)}.`,
  );
}
