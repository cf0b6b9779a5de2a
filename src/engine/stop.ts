import { randomBytes } from 'node:crypto';
import { OutliveError } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import type { StopFact } from '../model/facts.ts';
import { noFacts } from '../model/fold.ts';
import { defaults } from '../model/limits.ts';
import type { StopCause } from '../model/words.ts';
import { isAlive } from '../platform/identity.ts';
import type { Member } from '../platform/system.ts';
import { holdProcess, monotonicMs, sleep } from '../util/wait.ts';
import { flush, record } from './append.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { changed, push } from './deliver.ts';
import { type Ending, ending, endTree } from './end-tree.ts';
import { type Observed, observe } from './observe.ts';
import { settle } from './settle.ts';
import { asLeftovers, findMembers, treeOf, withoutShim } from './tree.ts';

/** The exit of our own child reaches us by an event, which cannot be far when its process is gone. */
const reapTakesMs = 2_000;

/** The pause between two looks whether a shim has started after all. */
const startsWithinMs = 20;

/** A request for the end of a task. */
export interface StopRequest {
  readonly cause: StopCause;
  readonly graceMs: number;
  /** The first signal. SIGKILL skips the grace. */
  readonly killSignal: NodeJS.Signals;
}

/**
 * Stops a task whole and settles it; of a task that has ended, stops the leftovers. A task that stops
 * already in this process is not stopped twice: a shorter grace or another signal hastens what runs.
 * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`.
 */
export async function stopTask(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const run = context.live.get(taskId)?.stop;
  if (run) {
    run.hasten(request);
    return await run.finished;
  }
  const observed = observe(context, taskId);
  if (observed === null) {
    await endUnrecorded(context, taskId, request);
    throw notFound(context, taskId);
  }
  if (observed.alive === 'unknown') throw elsewhere(taskId, observed);
  const decision = decide(observed.facts, observed.alive);
  if (decision.state === 'live') {
    const isFirst = askForStop(context, taskId, observed, request);
    changed(context, taskId);
    if (!isFirst && automatic.has(request.cause)) return;
    return await runStop(context, taskId, observed, request.killSignal, request.graceMs);
  }
  // What a stop has left is about to end: that is waited for before anybody is told.
  if (decision.state === 'settle' && observed.facts.stop !== undefined)
    return await runStop(context, taskId, observed, request.killSignal, request.graceMs);
  // A command that has ended by itself has done so, whatever is asked for afterwards.
  if (decision.state === 'settle') await settle(context, taskId, observed);
  const latest = observe(context, taskId);
  if (latest?.alive === 'yes' && latest.facts.exit === undefined)
    return await stopTask(context, taskId, request);
  if (latest !== null) await stopLeftovers(context, taskId, latest, request);
}

/** The record is gone, by the task's own hand perhaps: our own child that still runs is to end all the same. */
async function endUnrecorded(context: SessionContext, taskId: string, request: StopRequest): Promise<void> {
  const live = context.live.get(taskId);
  if (live?.own !== true || live.reaped !== null) return;
  const { system } = context.store;
  const tree = { ...treeOf(context, taskId, noFacts, live.pid), cookie: live.cookie };
  await whileStopping(taskId, () => endTree(ending(tree, system, request.killSignal, request.graceMs)));
}

/**
 * Causes that every supervisor finds by itself at the same moment: only the one whose fact is first acts, lest
 * the command gets a signal from each. A person who asks again means it.
 */
const automatic: ReadonlySet<StopCause> = new Set(['timeout', 'output_limit', 'stale', 'bound']);

/** Appends the request, if it is the first; whether it was, among all processes. */
function askForStop(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopRequest,
): boolean {
  if (observed.facts.stop !== undefined) return false;
  const fact = stopFact(context, request);
  // What cannot be written now came all the same before what the shim says of the end.
  record(context, taskId, [fact], observed.facts.count);
  return observe(context, taskId)?.facts.stop?.id === fact.id;
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
  const grace = stop.graceMs ?? observed.facts.spec?.graceMs ?? defaults.graceMs;
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
  const way = ending(treeOf(context, taskId, observed.facts, live?.pid ?? null), system, killSignal, graceMs);
  const work = async (): Promise<void> => {
    const { survivors, neverStarts } = await whileStopping(taskId, async () => {
      const end = await endStarted(context, taskId, way, live);
      if (live?.own === true) await untilReaped(live);
      return end;
    });
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
  live: LiveTask | undefined,
): Promise<{ readonly survivors: Member[]; readonly neverStarts: boolean }> {
  for (;;) {
    const survivors = await endTree(way);
    const now = observe(context, taskId);
    const mayStart =
      survivors.length === 0 && now !== null && now.alive === 'yes' && now.facts.started === undefined;
    const neverStarts = mayStart && way.seen.size > 0;
    // Also when the store was closed meanwhile, which forgets all that live.
    if (!mayStart || neverStarts || live?.reaped) return { survivors, neverStarts };
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

async function untilReaped(live: LiveTask): Promise<void> {
  const end = monotonicMs() + reapTakesMs;
  while (live.reaped === null && monotonicMs() < end) await sleep(1);
}

async function stopLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopRequest,
): Promise<void> {
  const { system } = context.store;
  if (observed.deathReason !== null) return;
  const members = await findMembers(treeOf(context, taskId, observed.facts, null), system);
  const { outcome, stopped, started } = observed.facts;
  const named = stopped?.survivors ?? outcome?.leftovers ?? [];
  // Where the record names some, it is to say that they are gone, however that came.
  if (named.length === 0 && withoutShim(members, started?.pid ?? null).length === 0) return;
  const fact = stopFact(context, { ...request, cause: 'leftovers' });
  record(context, taskId, [fact]);
  await endLeftovers(context, taskId, observed, fact.id, request.killSignal, request.graceMs);
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
  const way = ending(treeOf(context, taskId, observed.facts, null), system, killSignal, graceMs);
  const survivors = await whileStopping(taskId, () => endTree(way));
  record(context, taskId, [{ fact: 'stopped', id: stopId, survivors: asLeftovers(survivors) }]);
}

function stopFact(context: SessionContext, request: StopRequest): StopFact {
  return {
    fact: 'stop',
    cause: request.cause,
    id: randomBytes(6).toString('hex'),
    by: context.store.system.self(),
    at: Date.now(),
    graceMs: request.graceMs,
    killSignal: request.killSignal,
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
