import { randomBytes } from 'node:crypto';
import { OutliveError } from '../errors/error.ts';
import { decide, hasEnded } from '../model/decide.ts';
import type { StopFact } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import type { Leftover, StopCause } from '../model/words.ts';
import { holdProcess, monotonicMs, sleep } from '../util/wait.ts';
import { flush, record } from './append.ts';
import type { SessionContext } from './context.ts';
import { changed, push } from './deliver.ts';
import { type Observed, observe } from './observe.ts';
import { settle } from './settle.ts';
import { nudge, shimHasMs, shimLives, stoppedBlindly } from './shim-control.ts';
import {
  endFromOutside,
  endLeftovers,
  endUnrecorded,
  graceOf,
  type StopRequest,
} from './stop-from-outside.ts';
import { findMembers, maySignal, treeOf } from './tree.ts';

/** The pauses between two looks at a task that its shim stops grow from one to the other. */
const firstLookMs = 1;
const longestLookMs = 50;

/** A shim that has not answered by then is told again. */
const answersWithinMs = 1_000;

/**
 * Stops a task whole and settles it; of a task that has ended, stops the leftovers. The shim does it, as long as it lives
 * and answers; else this process does, from outside. Of several requests the earliest end of grace counts, and each
 * signal is sent once.
 * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `READ_FAILED`.
 */
export async function stopTask(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const work = stop(context, taskId, request);
  const quiet = work.catch(() => undefined);
  context.stops.add(quiet);
  try {
    await work;
  } finally {
    context.stops.delete(quiet);
  }
}

async function stop(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const run = context.live.get(taskId)?.stop;
  if (run) {
    run.hasten(request);
    return await run.finished;
  }
  // Without a pause before the request: who calls `kill()` and looks at the task sees it being stopped.
  const observed = observeOrNot(context, taskId);
  if (!('facts' in observed)) {
    // The record cannot be read, or the task has removed it: a limit or a person does not wait for a disk.
    await endUnrecorded(context, taskId, request);
    throw observed.error ?? notFound(context, taskId);
  }
  if (observed.alive === 'unknown') throw elsewhere(taskId, observed);
  const decision = decide(observed.facts, observed.alive);
  if (decision.state === 'live') {
    const isFirst = askForStop(context, taskId, observed, request);
    changed(context, taskId);
    if (!isFirst && automatic.has(request.cause)) return;
    return await seeToStop(context, taskId, request);
  }
  // What a stop has left is about to end: that is waited for before anybody is told.
  const isStopped = observed.facts.stop !== undefined;
  if (decision.state === 'settle' && isStopped && !isDone(observed.facts))
    return await endFromOutside(context, taskId, observed, request.killSignal, request.graceMs);
  // A command that has ended by itself has done so, whatever is asked for afterwards.
  if (decision.state === 'settle') await settleInTheEnd(context, taskId, observed);
  const latest = observe(context, taskId);
  if (latest?.alive === 'yes' && latest.facts.exit === undefined) return await stop(context, taskId, request);
  if (latest !== null) await stopLeftovers(context, taskId, latest, request);
}

/** What is left may not be known yet: the shim is about to say it. */
async function settleInTheEnd(context: SessionContext, taskId: string, observed: Observed): Promise<void> {
  let latest: Observed | null = observed;
  for (let pause = firstLookMs; latest !== null; pause = Math.min(pause * 2, longestLookMs)) {
    if (await settle(context, taskId, latest)) return;
    await sleep(pause);
    latest = observe(context, taskId);
    if (latest !== null && decide(latest.facts, latest.alive).state !== 'settle') return;
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
async function seeToStop(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const release = holdProcess();
  try {
    await untilStopped(context, taskId, request);
  } finally {
    release();
  }
}

async function untilStopped(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const begun = monotonicMs();
  let nudgeAt = begun;
  for (let pause = firstLookMs; ; pause = Math.min(pause * 2, longestLookMs)) {
    const observed = observe(context, taskId);
    if (observed === null) return;
    const { facts } = observed;
    const decision = decide(facts, observed.alive);
    if (decision.state === 'ended') return push(context, taskId, null);
    if (decision.state === 'settle' && isDone(facts)) {
      if (await settle(context, taskId, observed)) return flush(context, taskId);
    } else if (mustEndFromOutside(context, observed, begun)) {
      const live = context.live.get(taskId);
      if (live?.stop) return await live.stop.finished;
      const left = Math.max(0, begun + request.graceMs - monotonicMs());
      return await endFromOutside(context, taskId, observed, request.killSignal, left);
    } else if (monotonicMs() >= nudgeAt) {
      flush(context, taskId);
      nudge(context, facts);
      nudgeAt += answersWithinMs;
    }
    await sleep(pause);
  }
}

/** Whether the task has ended, and the shim, if it has stopped it, has seen to it that nothing is left. */
function isDone(facts: Facts): boolean {
  return hasEnded(facts) && !stoppedBlindly(facts);
}

/** The shim cannot do it: there is none any more, it is of a kind that performs no stops, or it does not answer. */
function mustEndFromOutside(context: SessionContext, { facts, alive }: Observed, begun: number): boolean {
  const { spec, started, stop } = facts;
  if (spec?.seal === undefined || alive === 'no') return true;
  if (stop !== undefined && monotonicMs() - begun >= graceOf(facts, stop) + shimHasMs(facts, stop))
    return true;
  return started !== undefined && !shimLives(context, facts);
}

/**
 * Causes that every supervisor finds by itself at the same moment: only the one whose fact is first acts, lest
 * the command gets a signal from each. A person who asks again means it.
 */
const automatic: ReadonlySet<StopCause> = new Set(['timeout', 'output_limit', 'stale', 'bound']);

/**
 * Appends the request, unless one says as much already: a task has a bounded number of facts. Whether it was the first,
 * among all processes.
 */
function askForStop(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopRequest,
): boolean {
  const { stop: asked } = observed.facts;
  if (asked !== undefined && !isMore(observed.facts, asked, request)) return false;
  const fact = stopFact(context, request);
  // What cannot be written now came all the same before what the shim says of the end.
  record(context, taskId, [fact], observed.facts.count);
  return observe(context, taskId)?.facts.stop?.id === fact.id;
}

/** Whether a request asks for more than the one that is carried out: another signal, or an earlier end. */
function isMore(facts: Facts, asked: StopFact, request: StopRequest): boolean {
  if (automatic.has(request.cause)) return false;
  if ((asked.killSignal ?? 'SIGTERM') !== request.killSignal) return true;
  const asIfNow = asked.at === null ? 0 : Math.max(0, Date.now() - asked.at);
  return request.graceMs < graceOf(facts, asked) - asIfNow;
}

async function stopLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopRequest,
): Promise<void> {
  const { system } = context.store;
  const { facts, deathReason } = observed;
  if (deathReason !== null || facts.gone !== undefined) return;
  // One that cannot look at processes cannot stop what it does not know.
  const isBlind = facts.left?.processes === null;
  const isShims = facts.spec?.seal !== undefined && !isBlind && shimLives(context, facts);
  // The shim stays for what is left and for nothing else; without it processes are looked at.
  if (!isShims) {
    const members = await findMembers(treeOf(context, taskId, facts), system);
    const named = facts.stopped?.survivors ?? facts.outcome?.leftovers ?? [];
    // Where the record names some, it is to say that they are gone, however that came.
    if (named.length === 0 && members.length === 0) return;
  }
  const fact = stopFact(context, { ...request, cause: 'leftovers' });
  record(context, taskId, [fact]);
  const survivors = isShims ? await shimEndsLeftovers(context, taskId, fact) : null;
  // What the shim may not signal (sudo) the asker may, if that is root.
  const mine = survivors?.filter(maySignal);
  if (mine?.length === 0) return;
  await endLeftovers(context, taskId, observed, fact.id, request.killSignal, request.graceMs, mine);
}

/** Waits until the shim has answered a stop of leftovers, and returns what it could not end. Null: it does not answer. */
async function shimEndsLeftovers(
  context: SessionContext,
  taskId: string,
  stop: StopFact,
): Promise<readonly Leftover[] | null> {
  const begun = monotonicMs();
  const release = holdProcess();
  let nudgeAt = begun;
  try {
    for (let pause = firstLookMs; ; pause = Math.min(pause * 2, longestLookMs)) {
      // First the shim, so that what one that is gone has written is there.
      const before = observe(context, taskId);
      const isGone = before !== null && !shimLives(context, before.facts);
      const observed = isGone ? observe(context, taskId) : before;
      if (observed === null) return [];
      const { openStop, stopped } = observed.facts;
      if (openStop?.id !== stop.id) return stopped?.id === stop.id ? stopped.survivors : [];
      if (isGone || monotonicMs() - begun >= (stop.graceMs ?? 0) + shimHasMs(observed.facts, stop))
        return null;
      if (monotonicMs() >= nudgeAt) {
        nudge(context, observed.facts);
        nudgeAt += answersWithinMs;
      }
      await sleep(pause);
    }
  } finally {
    release();
  }
}

function stopFact(context: SessionContext, request: StopRequest): StopFact {
  return {
    fact: 'stop',
    cause: request.cause,
    id: randomBytes(6).toString('hex'),
    graceMs: request.graceMs,
    killSignal: request.killSignal,
    by: context.store.system.self(),
    at: Date.now(),
  };
}

function notFound(context: SessionContext, taskId: string): OutliveError {
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected a task of session ${JSON.stringify(context.sessionId)}; found no record of ${taskId}. List the session's tasks to see which there are.`,
  );
}

function elsewhere(taskId: string, observed: Observed): OutliveError {
  const host = observed.facts.spec?.by.host ?? 'unknown';
  return new OutliveError(
    'TASK_ELSEWHERE',
    `expected a task of this machine; ${taskId} runs on host ${JSON.stringify(host)} or in another container there. Stop it from where it runs, or open the store with elsewhere: 'lost' if no other machine uses it.`,
    { details: { taskId, host } },
  );
}
