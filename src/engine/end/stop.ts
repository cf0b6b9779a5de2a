import { hasEnded } from '../../model/decide.ts';
import type { StopFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { defaults } from '../../model/limits.ts';
import type { StopCause } from '../../model/words.ts';
import { holdProcess, monotonicMs, sleep } from '../../util/wait.ts';
import { addWaiter, isTold, pushUntold } from '../completions/deliver.ts';
import { flush } from '../session/append.ts';
import { changed, nextChange } from '../session/changes.ts';
import type { EndWaiter, SessionContext } from '../session/context.ts';
import { corrected, isHeldUnread, type Observed, observe } from '../session/observe.ts';
import { putAwaySoon } from '../session/put-away.ts';
import { readFacts, readRecord } from '../session/read-record.ts';
import { nudge, shimHasMs, shimLives, stoppedBlindly } from '../session/shim-control.ts';
import { settle } from './settle.ts';
import { elsewhere, notFound, unread } from './stop-errors.ts';
import { endFromOutside, endUnread, endUnrecorded } from './stop-from-outside.ts';
import { stopLeftovers } from './stop-leftovers.ts';
import {
  answersWithinMs,
  firstLookMs,
  graceOf,
  longestLookMs,
  recordStop,
  type StopOfTask,
  type StopRequest,
} from './stop-request.ts';

/**
 * Stops a task whole and settles it; of a task that has ended, stops the leftovers. The shim does it, as long as it lives
 * and answers; else this process does, from outside. Of several requests the earliest end of grace counts, and each
 * signal is sent once.
 * @param caller who gets the task as the answer. He waits for its end from the moment on in which it is clear that there is
 * a record to answer from.
 * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `READ_FAILED`.
 */
export async function stopTask(
  context: SessionContext,
  taskId: string,
  request: StopRequest,
  caller: EndWaiter | null = null,
): Promise<void> {
  const work = stop(context, taskId, request, caller);
  const quiet = work.catch(() => undefined); // The caller gets its error.
  context.stops.add(quiet);
  try {
    await work;
    pushUntold(context, taskId);
    // The caller finds it on disk, whichever process has settled the task.
    flush(context, taskId);
    // For a task that had ended, the shim has said that nothing is left.
    putAwaySoon(context, taskId);
  } finally {
    context.stops.delete(quiet);
  }
}

async function stop(
  context: SessionContext,
  taskId: string,
  asked: StopRequest,
  caller: EndWaiter | null,
): Promise<void> {
  const live = context.live.get(taskId);
  if (live?.stop) {
    if (caller !== null) addWaiter(context, taskId, caller);
    live.stop.hasten(ofTask(asked, live.graceMs));
    return await live.stop.finished;
  }
  // Without a pause before the request: a caller of `kill()` that then reads the task sees that it is being stopped.
  const observed = observeOrNot(context, taskId);
  const spec = 'facts' in observed ? observed.facts.spec : undefined;
  const request = ofTask(asked, spec?.graceMs ?? live?.graceMs ?? defaults.graceMs);
  if (!('facts' in observed)) {
    // The record cannot be read, or the task has removed it: a limit or a person does not wait for a disk. One that can still
    // be written says that the end was asked for.
    if (observed.error !== null && live?.own === true) recordStop(context, taskId, request);
    await endUnrecorded(context, taskId, request);
    throw observed.error ?? notFound(context, taskId);
  }
  if (observed.alive === 'unknown') throw elsewhere(taskId, observed);
  if (isUnread(context, taskId, observed)) {
    recordStop(context, taskId, request, observed.facts.count);
    const isFound = await endUnread(context, taskId, request);
    if (!isFound || !(await isToldSoon(context, taskId))) throw unread(context, taskId);
    return await stop(context, taskId, request, caller);
  }
  if (caller !== null) addWaiter(context, taskId, caller);
  const { decision } = observed;
  if (decision.state === 'live') {
    const { facts, isFirst } = askForStop(context, taskId, observed, request);
    changed(context, taskId);
    if (!isFirst && automatic.has(request.cause)) return;
    // A task that may no longer start has thereby ended.
    const asked = facts.isForbidden ? observe(context, taskId) : corrected(observed, { facts });
    return await seeToStop(context, taskId, asked, request);
  }
  // What a stop has left is about to end: that is waited for before anybody is told.
  const isStopped = observed.facts.stop !== undefined;
  if (decision.state === 'settle' && isStopped && !isDone(observed.facts))
    return await endFromOutside(context, taskId, observed, request.killSignal, request.graceMs);
  // A command that has ended by itself has done so, whatever is asked for afterwards.
  if (decision.state === 'settle') await settleInTheEnd(context, taskId, observed);
  const latest = observe(context, taskId);
  if (latest?.alive === 'yes' && latest.facts.exit === undefined)
    return await stop(context, taskId, request, caller);
  if (latest !== null) await stopLeftovers(context, taskId, latest, request);
}

/** Whether nothing but the hold of its shim says that the task lives. */
function isUnread(context: SessionContext, taskId: string, { facts, alive }: Observed): boolean {
  if (alive !== 'yes' || facts.spec !== undefined) return false;
  const file = readRecord(context, taskId)?.file;
  return file !== undefined && isHeldUnread(context, taskId, facts, file);
}

/** Waits until the shim of a task that was ended has written how its command ended. */
async function isToldSoon(context: SessionContext, taskId: string): Promise<boolean> {
  const begun = monotonicMs();
  while (observe(context, taskId)?.alive === 'yes') {
    if (monotonicMs() - begun > answersWithinMs) return false;
    await sleep(firstLookMs);
  }
  return true;
}

function ofTask(request: StopRequest, ownGraceMs: number): StopOfTask {
  return { ...request, graceMs: request.graceMs ?? ownGraceMs };
}

/** Records how a task has ended. What is left may not be known yet: the shim is about to say it. */
export async function settleInTheEnd(
  context: SessionContext,
  taskId: string,
  observed: Observed,
): Promise<void> {
  let latest: Observed | null = observed;
  for (let pause = firstLookMs; latest !== null; pause = Math.min(pause * 2, longestLookMs)) {
    if (await settle(context, taskId, latest)) return;
    await sleep(pause);
    latest = observe(context, taskId);
    if (latest?.decision.state !== 'settle') return;
  }
}

/** The task as it is, or the error of who cannot read its record; null: there is no record. */
function observeOrNot(context: SessionContext, taskId: string): Observed | { readonly error: unknown } {
  try {
    return observe(context, taskId) ?? { error: null };
  } catch (error) {
    return { error };
  }
}

/** Sees to it that a stop that was asked for comes to its end. */
async function seeToStop(
  context: SessionContext,
  taskId: string,
  asked: Observed | null,
  request: StopOfTask,
): Promise<void> {
  const release = holdProcess();
  try {
    await untilStopped(context, taskId, asked, request);
  } finally {
    release();
  }
}

async function untilStopped(
  context: SessionContext,
  taskId: string,
  asked: Observed | null,
  request: StopOfTask,
): Promise<void> {
  const begun = monotonicMs();
  let nudgeAt = begun;
  // Where the doorbell tells of the end, a check finds nothing before it.
  let pause = rings(context, taskId) ? longestLookMs : firstLookMs;
  for (let observed = asked; observed !== null; observed = observe(context, taskId)) {
    const { facts, decision } = observed;
    if (decision.state === 'ended') return;
    if (decision.state === 'settle' && isDone(facts)) {
      if (await settle(context, taskId, observed)) return flush(context, taskId);
    } else if (mustEndFromOutside(context, observed, request, begun)) {
      const live = context.live.get(taskId);
      if (live?.stop) return await live.stop.finished;
      const left = Math.max(0, begun + request.graceMs - monotonicMs());
      return await endFromOutside(context, taskId, observed, request.killSignal, left);
    } else if (monotonicMs() >= nudgeAt) {
      flush(context, taskId);
      nudge(context, facts);
      nudgeAt += answersWithinMs;
    }
    await nextChange(context, taskId, pause, () => !rings(context, taskId));
    if (isTold(context, taskId)) return;
    pause = Math.min(pause * 2, longestLookMs);
  }
}

/** Whether the doorbell will report the end of the command, and has not done so yet. */
function rings(context: SessionContext, taskId: string): boolean {
  return context.live.get(taskId)?.rings === true;
}

/** Whether the task has ended, and the shim, if it has stopped it, has seen to it that nothing is left. */
function isDone(facts: Facts): boolean {
  return hasEnded(facts) && !stoppedBlindly(facts);
}

/** The shim cannot do it: it is gone, it is of a kind that performs no stops, or it does not answer. */
function mustEndFromOutside(
  context: SessionContext,
  { facts, alive, shim }: Observed,
  { graceMs }: StopOfTask,
  begun: number,
): boolean {
  const { spec, started, stop } = facts;
  if (spec?.seal === undefined || alive === 'no') return true;
  const isOverdue = (stopping: StopFact): boolean =>
    monotonicMs() - begun >= Math.min(graceMs, graceOf(facts, stopping)) + shimHasMs(facts, stopping);
  if (stop !== undefined && isOverdue(stop)) return true;
  return started !== undefined && shim === null && !shimLives(context, facts);
}

/**
 * Causes that every supervisor finds by itself at the same moment: only the one whose fact is first acts, lest
 * the command gets a signal from each. A person who asks again means it.
 */
const automatic: ReadonlySet<StopCause> = new Set([
  'timeout',
  'output_limit',
  'stale',
  'bound',
  'dependency_failed',
]);

/**
 * Appends the request, unless one says as much already: a task has a bounded number of facts.
 * @returns the facts then, and whether the request was the first, among all processes.
 */
function askForStop(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopOfTask,
): { readonly facts: Facts; readonly isFirst: boolean } {
  const { stop: asked } = observed.facts;
  if (asked !== undefined && !isMore(observed.facts, asked, request))
    return { facts: observed.facts, isFirst: false };
  // A fact that cannot be written now still came before the shim's facts about the end.
  const fact = recordStop(context, taskId, request, observed.facts.count);
  const facts = readFacts(context, taskId) ?? observed.facts;
  return { facts, isFirst: facts.stop?.id === fact.id };
}

/** Whether a request asks for more than the one that is carried out: another signal, or an earlier end. */
function isMore(facts: Facts, asked: StopFact, request: StopOfTask): boolean {
  if (automatic.has(request.cause)) return false;
  if ((asked.killSignal ?? 'SIGTERM') !== request.killSignal) return true;
  const left = graceOf(facts, asked) - (asked.at === null ? 0 : Math.max(0, Date.now() - asked.at));
  // Its time is up by this clock and the task is still there: the shim goes by another clock, or needs to be told again.
  return left <= 0 || request.graceMs < left;
}
