import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { OutliveError, shown, taskNotFound } from '../../errors/error.ts';
import { bounds } from '../../model/limits.ts';
import { checkPattern, type Pattern } from '../../model/pattern.ts';
import { randomHex } from '../../util/crypto.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { checkFlag } from '../session/validate.ts';
import { compilePattern } from './compile-pattern.ts';
import { matchFeed, type WatchMatch } from './match-feed.ts';
import { openWatch } from './pattern-watches.ts';
import { checkMatchOptions, checkPlace, type WatchOptions, watchOptionNames } from './watch-options.ts';

/** What a durable watch is to look at. */
export interface AddWatchOptions extends Pick<WatchOptions, 'from' | 'stream'> {
  /**
   * Names it within its task: 1 to 64 letters, digits, `.`, `_` and `-`. To add one that is open, with the same
   * pattern, changes nothing. @default a random one
   */
  readonly id?: string;
  /** It ends when its first match is acknowledged. @default false */
  readonly once?: boolean;
}

const addWatchOptionNames: OptionNames<AddWatchOptions> = {
  from: true,
  stream: true,
  id: true,
  once: true,
};

/** Yields the matches of a pattern in the output of a task. */
export async function* watchTask(
  context: SessionContext,
  taskId: string,
  pattern: Pattern,
  options: WatchOptions,
): AsyncGenerator<WatchMatch, void, undefined> {
  checkOptions('task.watch()', options, watchOptionNames);
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
  checkOptions('task.addWatch()', options, addWatchOptionNames);
  const source = checkPattern(pattern);
  const id = checkWatchId(options.id ?? randomHex(4));
  const place = checkPlace(options);
  const once = checkFlag('once', options.once ?? false);
  await compilePattern(source);
  if (observe(context, taskId) === null) throw taskNotFound(context.sessionId, taskId);
  const said = once ? { once } : {};
  openWatch(context, taskId, { fact: 'watch', id, pattern: source, ...place, ...said, at: Date.now() });
  return id;
}

function checkWatchId(id: unknown): string {
  if (typeof id === 'string' && id.length <= bounds.watchIdChars && /^[A-Za-z0-9._-]+$/.test(id)) return id;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the id of a watch to be 1 to ${bounds.watchIdChars} letters, digits, ".", "_" and "-"; found ${shown(id)}.`,
  );
}
