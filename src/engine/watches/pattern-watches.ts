import { OutliveError } from '../../errors/error.ts';
import type { Facts } from '../../model/fold.ts';
import { bounds } from '../../model/limits.ts';
import type { Pattern } from '../../model/pattern.ts';
import type { WatchFact } from '../../model/watch-facts.ts';
import { isFirstToSee, seenOffset, type Watch } from '../../model/watches.ts';
import type { Stream } from '../../tasklog/output.ts';
import { randomHex } from '../../util/crypto.ts';
import { record } from '../session/append.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';

/** A durable watch. */
export interface WatchSummary {
  readonly id: string;
  /** As plain data: a text, or `{ regexp, flags }`. */
  readonly pattern: Pattern;
  readonly stream: Stream;
  readonly from: number;
  /** It ends when its first match is acknowledged. */
  readonly once: boolean;
}

/** Remembers which tasks have watches that are open, and wakes those who wait for matches. */
export function noteWatches(context: SessionContext, taskId: string, facts: Facts): void {
  if (facts.watches.length === 0) return;
  if (facts.watches.every((watch) => watch.closed)) context.watched.delete(taskId);
  else context.watched.add(taskId);
  for (const listener of [...context.watchListeners]) listener();
}

/** The watches of a task that are open. */
export function openWatches(context: SessionContext, taskId: string): Watch[] {
  return observe(context, taskId)?.facts.watches.filter((watch) => !watch.closed) ?? [];
}

/** The durable watches of a task that are open. */
export function watchesOf(context: SessionContext, taskId: string): WatchSummary[] {
  return openWatches(context, taskId).map(({ fact: { id, pattern, stream, from, once = false } }) => ({
    id,
    pattern: 'text' in pattern ? pattern.text : pattern,
    stream,
    from,
    once,
  }));
}

/**
 * Opens a watch, unless one with the same id, pattern and stream is open: then that one goes on.
 * @throws OutliveError `INVALID_ARGUMENT` when the id is another watch's, or there are too many; `TASK_ENDED`.
 */
export function openWatch(context: SessionContext, taskId: string, fact: WatchFact): void {
  refuseDone(context, taskId);
  const open = openWatches(context, taskId);
  const known = open.find((watch) => watch.fact.id === fact.id);
  if (known === undefined) {
    if (open.length >= bounds.watches)
      refuse(`at most ${bounds.watches} open watches of ${taskId}`, `${open.length}`);
    record(context, taskId, [fact]);
  } else if (!isSame(known.fact, fact)) {
    refuse(
      `the watch ${JSON.stringify(fact.id)} to be new, or the same as the open one`,
      `another pattern or stream`,
    );
  }
  // It may have become done before this was appended.
  refuseDone(context, taskId);
  const facts = observe(context, taskId)?.facts;
  if (facts !== undefined) noteWatches(context, taskId, facts);
}

/** A watch that comes after all else counts for nothing. */
function refuseDone(context: SessionContext, taskId: string): void {
  if (observe(context, taskId)?.facts.isDone !== true) return;
  throw new OutliveError(
    'TASK_ENDED',
    `expected a task that can still write or be acknowledged; found that ${taskId} has ended, is acknowledged, and left no process. Search its output instead, with task.watch() or task.waitFor().`,
    { details: { taskId } },
  );
}

/**
 * Ends a watch: nothing more of it is pending.
 * @param options `ended`: its task has ended, and nobody has asked for this.
 * @returns whether it was open.
 */
export function closeWatch(
  context: SessionContext,
  taskId: string,
  watchId: string,
  { ended = false } = {},
): boolean {
  if (!openWatches(context, taskId).some((watch) => watch.fact.id === watchId)) return false;
  record(context, taskId, [{ fact: 'unwatch', watch: watchId, ...(ended && { ended }) }]);
  const facts = observe(context, taskId)?.facts;
  if (facts !== undefined) noteWatches(context, taskId, facts);
  return true;
}

/** A match, as far as acknowledging it goes. Its line decides: how much of it was there, readers may see differently. */
export interface MatchPlace {
  readonly taskId: string;
  readonly watchId: string;
  readonly lineOffset: number;
  readonly nextOffset: number;
  readonly beginsAt: number;
}

/** Whether a match is still to be acknowledged. */
export function isMatchPending(context: SessionContext, match: MatchPlace): boolean {
  const watch = openWatches(context, match.taskId).find(({ fact }) => fact.id === match.watchId);
  return watch !== undefined && seenOffset(watch, match.beginsAt) < match.lineOffset;
}

/**
 * Acknowledges a match, and those before it.
 * @returns whether this was the first acknowledgement of that match, among all processes.
 */
export function seeMatch(context: SessionContext, match: MatchPlace): boolean {
  if (!isMatchPending(context, match)) return false;
  const { taskId, watchId, lineOffset, nextOffset, beginsAt } = match;
  const id = randomHex(6);
  // Within the match: where the file begins anew, a line can begin where it ended.
  const offset = Math.max(lineOffset, nextOffset - 1);
  const begins = beginsAt > 0 ? { begins: beginsAt } : {};
  record(context, taskId, [{ fact: 'seen', watch: watchId, id, offset, ...begins, at: Date.now() }]);
  const watches = observe(context, taskId)?.facts.watches ?? [];
  const watch = watches.find(({ fact }) => fact.id === watchId);
  return watch !== undefined && isFirstToSee(watch, match, id);
}

function isSame(a: WatchFact, b: WatchFact): boolean {
  return (
    a.stream === b.stream && a.once === b.once && JSON.stringify(a.pattern) === JSON.stringify(b.pattern)
  );
}

function refuse(expected: string, found: string): never {
  throw new OutliveError('INVALID_ARGUMENT', `expected ${expected}; found ${found}.`);
}
