import { randomBytes } from 'node:crypto';
import { OutliveError } from '../errors/error.ts';
import { decide, hasEnded } from '../model/decide.ts';
import type { StopFact } from '../model/facts.ts';
import { type Facts, noFacts } from '../model/fold.ts';
import { defaults } from '../model/limits.ts';
import type { StopCause } from '../model/words.ts';
import { isAlive } from '../platform/identity.ts';
import type { Member } from '../platform/system.ts';
import { holdProcess, monotonicMs, sleep } from '../util/wait.ts';
import { flush, record } from './append.ts';
import type { SessionContext } from './context.ts';
import { changed, push } from './deliver.ts';
import { type Ending, ending, endTree } from './end-tree.ts';
import { type Observed, observe } from './observe.ts';
import { settle } from './settle.ts';
import { nudge, shimLives, shimOverdueMs } from './shim-control.ts';
import { asLeftovers, findMembers, treeOf } from './tree.ts';

/** The pause between two looks whether a shim has started after all. */
const startsWithinMs = 20;

/** The pauses between two looks at a task that its shim stops grow from one to the other. */
const firstLookMs = 1;
const longestLookMs = 50;

/** A shim that has not answered by then is told again. */
const answersWithinMs = 1_000;

/** A request for the end of a task. */
export interface StopRequest {
  readonly cause: StopCause;
  readonly graceMs: number;
  /** The first signal. SIGKILL skips the grace. */
  readonly killSignal: NodeJS.Signals;
}

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
  const observed = await observeOrEnd(context, taskId, request);
  if (observed === null) throw notFound(context, taskId);
  if (observed.alive === 'unknown') throw elsewhere(taskId, observed);
  const decision = decide(observed.facts, observed.alive);
  if (decision.state === 'live') {
    const isFirst = askForStop(context, taskId, observed, request);
    changed(context, taskId);
    if (!isFirst && automatic.has(request.cause)) return;
    return await seeToStop(context, taskId, request);
  }
  // What a stop has left is about to end: that is waited for before anybody is told.
  if (decision.state === 'settle' && observed.facts.stop !== undefined && !hasEnded(observed.facts))
    return await runStop(context, taskId, observed, request.killSignal, request.graceMs);
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

/**
 * The task as it is. Where its record cannot be read, or is gone by the task's own hand perhaps, what is known of its
 * processes in memory does for a stop from outside: a limit or a person must not wait for a disk.
 */
async function observeOrEnd(
  context: SessionContext,
  taskId: string,
  request: StopRequest,
): Promise<Observed | null> {
  try {
    const observed = observe(context, taskId);
    if (observed === null) await endUnrecorded(context, taskId, request);
    return observed;
  } catch (error) {
    await endUnrecorded(context, taskId, request);
    throw error;
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
    if (decision.state === 'settle' && hasEnded(facts)) {
      if (await settle(context, taskId, observed)) {
        // A shim that waits for its turn is to go as well.
        if (facts.started === undefined) nudge(context, facts);
        return flush(context, taskId);
      }
    } else if (mustEndFromOutside(context, observed, begun)) {
      const live = context.live.get(taskId);
      if (live?.stop) return await live.stop.finished;
      const left = Math.max(0, begun + request.graceMs - monotonicMs());
      return await runStop(context, taskId, observed, request.killSignal, left);
    } else if (monotonicMs() >= nudgeAt) {
      flush(context, taskId);
      nudge(context, facts);
      nudgeAt += answersWithinMs;
    }
    await sleep(pause);
  }
}

/** The shim cannot do it: there is none any more, it is of a kind that performs no stops, or it does not answer. */
function mustEndFromOutside(context: SessionContext, { facts, alive }: Observed, begun: number): boolean {
  const { spec, started, stop } = facts;
  if (spec?.seal === undefined || alive === 'no') return true;
  if (stop !== undefined && monotonicMs() - begun >= graceOf(facts, stop) + shimOverdueMs) return true;
  return started !== undefined && !shimLives(context, facts);
}

/** The grace of a stop. */
export function graceOf({ spec }: Facts, { graceMs }: StopFact): number {
  return graceMs ?? spec?.graceMs ?? defaults.graceMs;
}

/** Ends a task by what is known of it in memory; one that this process has not spawned is not touched. */
async function endUnrecorded(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const live = context.live.get(taskId);
  if (live?.own !== true) return;
  const { system } = context.store;
  const tree = treeOf(context, taskId, noFacts);
  await whileStopping(taskId, () => endTree(ending(tree, system, request.killSignal, request.graceMs)));
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

/** Tasks that are being stopped by this process, whichever store object asked for it. */
const stopping = new Map<string, number>();

/** Whether nobody is at work on a stop that the log asks for: its author is the shim, dead, or this process in an earlier attempt. */
export function isAbandoned(context: SessionContext, taskId: string, stop: StopFact): boolean {
  if (stopping.has(taskId)) return false;
  if (stop.by === null) return true;
  const { system } = context.store;
  if (isAlive(stop.by, system) !== 'yes') return true;
  const { pid, start } = system.self();
  return stop.by.pid === pid && stop.by.start === start;
}

/** Goes on with a stop whose author is gone. What is left of its grace counts; the shim's own signal is not sent twice. */
export async function continueStop(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  stop: StopFact,
): Promise<void> {
  const grace = graceOf(observed.facts, stop);
  const begun = stop.at ?? observed.modifiedAt;
  const left = Math.min(grace, Math.max(0, begun + grace - Date.now()));
  const killSignal = stop.by === null ? null : ((stop.killSignal ?? 'SIGTERM') as NodeJS.Signals);
  if (observed.facts.outcome === undefined) await runStop(context, taskId, observed, killSignal, left);
  else await endLeftovers(context, taskId, observed, stop.id, killSignal, left);
}

async function runStop(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  killSignal: NodeJS.Signals | null,
  graceMs: number,
): Promise<void> {
  const { system } = context.store;
  const live = context.live.get(taskId);
  const way = ending(treeOf(context, taskId, observed.facts), system, killSignal, graceMs);
  const work = async (): Promise<void> => {
    const { survivors, neverStarts } = await whileStopping(taskId, () => endStarted(context, taskId, way));
    const now = observe(context, taskId);
    if (now === null) return;
    const after: Observed = neverStarts && now.facts.started === undefined ? { ...now, alive: 'no' } : now;
    const decision = decide(after.facts, after.alive);
    if (decision.state === 'settle') await settle(context, taskId, after, survivors);
    else if (decision.state === 'ended') push(context, taskId, null);
    flush(context, taskId);
  };
  const finished = work().finally(() => {
    if (live !== undefined) live.stop = null;
  });
  if (live !== undefined) {
    const hasten = (more: { graceMs: number; killSignal: NodeJS.Signals }): void => {
      way.graceEndsAt = Math.min(way.graceEndsAt, monotonicMs() + more.graceMs);
      if (more.killSignal === way.killSignal) return;
      way.killSignal = more.killSignal;
      way.told = false;
      way.hurry = true;
    };
    live.stop = { finished, hasten };
  }
  await finished;
}

/**
 * Ends the tree. A shim that has not said yet that it runs is waited for: its command must not run either. One that was
 * seen, by what it carries, and is gone by now never will: before the start nothing but the shim carries that.
 */
async function endStarted(
  context: SessionContext,
  taskId: string,
  way: Ending,
): Promise<{ readonly survivors: Member[]; readonly neverStarts: boolean }> {
  for (;;) {
    const survivors = await endTree(way);
    const now = observe(context, taskId);
    const mayStart =
      survivors.length === 0 && now !== null && now.alive === 'yes' && now.facts.started === undefined;
    const neverStarts = mayStart && way.seen.size > 0;
    if (!mayStart || neverStarts) return { survivors, neverStarts };
    await sleep(startsWithinMs);
    way.told = false;
  }
}

async function whileStopping<T>(taskId: string, work: () => Promise<T>): Promise<T> {
  const release = holdProcess();
  stopping.set(taskId, (stopping.get(taskId) ?? 0) + 1);
  try {
    return await work();
  } finally {
    const left = (stopping.get(taskId) ?? 1) - 1;
    if (left === 0) stopping.delete(taskId);
    else stopping.set(taskId, left);
    release();
  }
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
  if (isShims && (await shimEndsLeftovers(context, taskId, fact))) return;
  await endLeftovers(context, taskId, observed, fact.id, request.killSignal, request.graceMs);
}

/** Waits until the shim has answered a stop of leftovers. False when it does not. */
async function shimEndsLeftovers(
  context: SessionContext,
  taskId: string,
  { id, graceMs }: StopFact,
): Promise<boolean> {
  const begun = monotonicMs();
  const release = holdProcess();
  let nudgeAt = begun;
  try {
    for (let pause = firstLookMs; ; pause = Math.min(pause * 2, longestLookMs)) {
      const observed = observe(context, taskId);
      if (observed === null || observed.facts.openStop?.id !== id) return true;
      if (monotonicMs() - begun >= (graceMs ?? 0) + shimOverdueMs) return false;
      if (!shimLives(context, observed.facts)) return observe(context, taskId)?.facts.openStop?.id !== id;
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

async function endLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  stopId: string,
  killSignal: NodeJS.Signals | null,
  graceMs: number,
): Promise<void> {
  const { system } = context.store;
  const way = ending(treeOf(context, taskId, observed.facts), system, killSignal, graceMs);
  const survivors = await whileStopping(taskId, () => endTree(way));
  record(context, taskId, [{ fact: 'stopped', id: stopId, survivors: asLeftovers(survivors) }]);
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
