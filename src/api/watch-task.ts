import { randomBytes } from 'node:crypto';
import { compilePattern } from '../engine/compile-pattern.ts';
import type { SessionContext } from '../engine/context.ts';
import { observe } from '../engine/observe.ts';
import { openWatch } from '../engine/pattern-watches.ts';
import { OutliveError, shown, taskNotFound } from '../errors/error.ts';
import { bounds } from '../model/limits.ts';
import { checkPattern, type Pattern } from '../model/pattern.ts';
import { matchFeed, type WatchMatch } from './match-feed.ts';
import { checkMatchOptions, checkPlace, type WatchOptions } from './watch-options.ts';

/** What a durable watch is to look at. */
export interface AddWatchOptions extends Pick<WatchOptions, 'from' | 'stream'> {
  /**
   * Names it within its task: 1 to 64 letters, digits, `.`, `_` and `-`. To add one that is open, with the same
   * pattern, changes nothing. @default a random one
   */
  readonly id?: string;
}

/** Yields the matches of a pattern in the output of a task. */
export async function* watchTask(
  context: SessionContext,
  taskId: string,
  pattern: Pattern,
  options: WatchOptions,
): AsyncGenerator<WatchMatch, void, undefined> {
  const how = { ...checkMatchOptions(options), ...checkPlace(options) };
  if (observe(context, taskId) === null) throw taskNotFound(context.sessionId, taskId);
  const matcher = await compilePattern(checkPattern(pattern));
  yield* matchFeed(context, { ...how, taskId, matcher, lineIsSeen: false, holds: true });
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

function checkWatchId(id: unknown): string {
  if (typeof id === 'string' && id.length <= bounds.watchIdChars && /^[A-Za-z0-9._-]+$/.test(id)) return id;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the id of a watch to be 1 to ${bounds.watchIdChars} letters, digits, ".", "_" and "-"; found ${shown(id)}.`,
  );
}
