import type { StopFact } from '../../model/facts.ts';
import { noFacts } from '../../model/fold.ts';
import type { Leftover } from '../../model/words.ts';
import { isAlive } from '../../platform/identity.ts';
import { type Member, processKey, type System } from '../../platform/system.ts';
import { shimName } from '../../shim/program.ts';
import { holdProcess, monotonicMs, sleep } from '../../util/wait.ts';
import { pushRecorded } from '../completions/deliver.ts';
import { asLeftovers, findMembers, type Tree, treeOf } from '../processes/members.ts';
import { type Ending, ending, terminate } from '../processes/terminate.ts';
import { flush, record } from '../session/append.ts';
import type { SessionContext } from '../session/context.ts';
import { corrected, type Observed, observe } from '../session/observe.ts';
import { settle } from './settle.ts';
import { graceOf, type StopOfTask } from './stop-request.ts';

// What this process does itself where no shim performs a stop: it is dead, does not answer, or is of a kind that cannot.

/** The pause between two checks whether a shim has started after all. */
const startsWithinMs = 20;

/** Ends a task by what is known of it in memory; one that this process has not spawned is not touched. */
export async function endUnrecorded(
  context: SessionContext,
  taskId: string,
  request: StopOfTask,
): Promise<void> {
  const live = context.live.get(taskId);
  if (live?.own !== true) return;
  const { system } = context.store;
  const tree = await withShim(treeOf(context, taskId, noFacts), taskId, system);
  await whileStopping(taskId, () => terminate(ending(tree, system, request.killSignal, request.graceMs)));
}

/**
 * Ends a task whose record was cut, and no longer names the shim and the cookie. Its processes have the task's id in their
 * environment, and are found by that.
 * @returns whether any were found.
 */
export async function endUnread(
  context: SessionContext,
  taskId: string,
  request: StopOfTask,
): Promise<boolean> {
  const { system } = context.store;
  const cookie = await cookieOf(taskId, system);
  if (cookie === null) return false;
  const tree = await withShim({ ...treeOf(context, taskId, noFacts), cookie }, taskId, system);
  await whileStopping(taskId, () => terminate(ending(tree, system, request.killSignal, request.graceMs)));
  return true;
}

async function cookieOf(taskId: string, system: System): Promise<string | null> {
  for (const { pid, cookie } of await system.usage()) {
    const carried = cookie ?? system.cookieOf?.(pid) ?? null;
    if (carried?.startsWith(`${taskId}.`) === true) return carried;
  }
  return null;
}

/** Only the record says who the shim is. Without it the name does, so that it is spared, and tells how the command ended. */
async function withShim(tree: Tree, taskId: string, system: System): Promise<Tree> {
  if (tree.shim !== null) return tree;
  const members = await findMembers(tree, system);
  const shim = members.find(({ hasCookie, command }) => hasCookie && command === `${shimName} ${taskId}`);
  return shim === undefined ? tree : { ...tree, shim: { pid: shim.pid, start: shim.start } };
}

/** Tasks that are being stopped by this process, whichever store object asked for it. */
const stopping = new Map<string, number>();

/**
 * Whether no process works on a stop that the log requests: its author is the shim, is dead, or is this process in an
 * earlier attempt.
 */
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
  if (observed.facts.outcome === undefined) await endFromOutside(context, taskId, observed, killSignal, left);
  else await endLeftovers(context, taskId, observed, stop.id, killSignal, left);
}

/** Ends a task from outside, and settles it. */
export async function endFromOutside(
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
    const after = neverStarts && now.facts.started === undefined ? corrected(now, { alive: 'no' }) : now;
    if (after.decision.state === 'settle') await settle(context, taskId, after, survivors);
    else if (after.decision.state === 'ended') pushRecorded(context, taskId, after);
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
    const survivors = await terminate(way);
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

/** Ends what an ended task has left, from outside, and records which survived. */
export async function endLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  stopId: string,
  killSignal: NodeJS.Signals | null,
  graceMs: number,
  known: readonly Leftover[] = [],
): Promise<void> {
  const { system } = context.store;
  const way = ending(treeOf(context, taskId, observed.facts), system, killSignal, graceMs);
  for (const process of known) way.seen.add(processKey(process));
  const survivors = await whileStopping(taskId, () => terminate(way));
  record(context, taskId, [{ fact: 'stopped', id: stopId, survivors: asLeftovers(survivors) }]);
}
