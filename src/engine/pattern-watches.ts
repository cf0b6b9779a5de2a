import { randomBytes } from 'node:crypto';
import { OutliveError } from '../errors/error.ts';
import type { WatchFact } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import { bounds } from '../model/limits.ts';
import type { Pattern } from '../model/pattern.ts';
import { isFirstToSee, seenOffset, type Watch } from '../model/watches.ts';
import type { Stream } from '../tasklog/output.ts';
import { record } from './append.ts';
import type { SessionContext } from './context.ts';
import { observe } from './observe.ts';

/** A durable watch. */
export interface WatchSummary {
  readonly id: string;
  /** As plain data: a text, or `{ regexp, flags }`. */
  readonly pattern: Pattern;
  readonly stream: Stream;
  readonly from: number;
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
  return openWatches(context, taskId).map(({ fact: { id, pattern, stream, from } }) => ({
    id,
    pattern: 'text' in pattern ? pattern.text : pattern,
    stream,
    from,
  }));
}

/**
 * Opens a watch, unless one with the same id, pattern and stream is open: then that one goes on.
 * @throws OutliveError `INVALID_ARGUMENT` when the id is another watch's, or there are too many.
 */
export function openWatch(context: SessionContext, taskId: string, fact: WatchFact): void {
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
  const facts = observe(context, taskId)?.facts;
  if (facts !== undefined) noteWatches(context, taskId, facts);
}

/**
 * Ends a watch: nothing more of it is owed.
 * @returns whether it was open.
 */
export function closeWatch(context: SessionContext, taskId: string, watchId: string): boolean {
  if (!openWatches(context, taskId).some((watch) => watch.fact.id === watchId)) return false;
  record(context, taskId, [{ fact: 'unwatch', watch: watchId }]);
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
}

/** Whether a match is still to be acknowledged. */
export function isMatchOwed(context: SessionContext, match: MatchPlace): boolean {
  const watch = openWatches(context, match.taskId).find(({ fact }) => fact.id === match.watchId);
  return watch !== undefined && seenOffset(watch) < match.lineOffset;
}

/**
 * Acknowledges a match, and those before it.
 * @returns whether this was the first acknowledgement of that match, among all processes.
 */
export function seeMatch(context: SessionContext, match: MatchPlace): boolean {
  if (!isMatchOwed(context, match)) return false;
  const { taskId, watchId, lineOffset, nextOffset } = match;
  const id = randomBytes(6).toString('hex');
  record(context, taskId, [{ fact: 'seen', watch: watchId, id, offset: nextOffset, at: Date.now() }]);
  const watches = observe(context, taskId)?.facts.watches ?? [];
  const watch = watches.find(({ fact }) => fact.id === watchId);
  return watch !== undefined && isFirstToSee(watch, lineOffset, id);
}

function isSame(a: WatchFact, b: WatchFact): boolean {
  return a.stream === b.stream && JSON.stringify(a.pattern) === JSON.stringify(b.pattern);
}

function refuse(expected: string, found: string): never {
  throw new OutliveError('INVALID_ARGUMENT', `expected ${expected}; found ${found}.`);
}
