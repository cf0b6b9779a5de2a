import { randomBytes } from 'node:crypto';
import { OutliveError } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import type { StopFact } from '../model/facts.ts';
import { defaults } from '../model/limits.ts';
import type { StopCause } from '../model/words.ts';
import { isAlive } from '../platform/identity.ts';
import { sleep } from '../util/wait.ts';
import { record } from './append.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { changed, push } from './deliver.ts';
import { ending, endTree } from './end-tree.ts';
import { type Observed, observe } from './observe.ts';
import { settle } from './settle.ts';
import { asLeftovers, findMembers, treeOf } from './tree.ts';

/** The exit of our own child reaches us by an event, which cannot be far when its process is gone. */
const reapTakesMs = 2_000;

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
  if (observed === null) throw notFound(context, taskId);
  if (observed.alive === 'unknown') throw elsewhere(taskId, observed);
  const decision = decide(observed.facts, observed.alive);
  if (decision.state === 'live') {
    if (observed.facts.stop === undefined) record(context, taskId, [stopFact(context, request)]);
    changed(context, taskId);
    return await runStop(context, taskId, observed, request.killSignal, request.graceMs);
  }
  // A command that has ended by itself did so, whatever is asked for now.
  if (decision.state === 'settle') await settle(context, taskId, observed);
  const latest = observe(context, taskId);
  if (latest !== null) await stopLeftovers(context, taskId, latest, request);
}

/** Whether nobody is at work on a stop that the log asks for: its author is the shim, dead, or this process in an earlier attempt. */
export function isAbandoned(context: SessionContext, taskId: string, stop: StopFact): boolean {
  if (context.live.get(taskId)?.stop) return false;
  if (stop.by === null) return true;
  const { system } = context.store;
  return stop.by.pid === system.self().pid || isAlive(stop.by, system) !== 'yes';
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
  const way = ending(treeOf(observed.facts, live?.pid ?? null, system), system, killSignal, graceMs);
  const work = async (): Promise<void> => {
    const survivors = await endTree(way);
    if (live?.own === true) await untilReaped(live);
    const after = observe(context, taskId);
    if (after === null) return;
    const decision = decide(after.facts, after.alive);
    if (decision.state === 'settle') await settle(context, taskId, after, survivors);
    else if (decision.state === 'ended') push(context, taskId, null);
  };
  const finished = work().finally(() => {
    if (live !== undefined) live.stop = null;
  });
  if (live !== undefined) {
    const hasten = (more: { graceMs: number; killSignal: NodeJS.Signals }): void => {
      way.graceEndsAt = Math.min(way.graceEndsAt, performance.now() + more.graceMs);
      if (more.killSignal === way.killSignal) return;
      way.killSignal = more.killSignal;
      way.told.clear();
      way.hurry = true;
    };
    live.stop = { finished, hasten };
  }
  await finished;
}

async function untilReaped(live: LiveTask): Promise<void> {
  const end = performance.now() + reapTakesMs;
  while (live.reaped === null && performance.now() < end) await sleep(1);
}

async function stopLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopRequest,
): Promise<void> {
  const { system } = context.store;
  if (observed.deathReason !== null) return;
  const members = await findMembers(treeOf(observed.facts, null, system), system);
  if (members.length === 0) return;
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
  const survivors = await endTree(ending(treeOf(observed.facts, null, system), system, killSignal, graceMs));
  record(context, taskId, [{ fact: 'stopped', id: stopId, survivors: asLeftovers(survivors, null) }]);
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
