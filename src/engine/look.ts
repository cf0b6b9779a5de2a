import { statSync } from 'node:fs';
import { decide } from '../model/decide.ts';
import type { SpecFact, StopFact } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import { shimOf } from '../model/fold.ts';
import { isAlive, livesHere } from '../platform/identity.ts';
import { taskPaths } from '../tasklog/paths.ts';
import { after } from '../util/wait.ts';
import { background } from './background.ts';
import type { LiveTask, Reaped, SessionContext } from './context.ts';
import { cutOutput, exceedsKeep } from './cut-output.ts';
import { changed, forget, push } from './deliver.ts';
import { type Observed, observe } from './observe.ts';
import { noteWatches } from './pattern-watches.ts';
import { followQueue, waitsForOthers } from './queue.ts';
import { settle } from './settle.ts';
import { stopIfStale } from './stale.ts';
import { continueStop, isAbandoned } from './stop.ts';
import { signalGroup, signalMember } from './tree.ts';

/** The first pause before a task that is about to end is looked at again; it doubles up to the slow poll's. */
const firstRelookMs = 1;
const longestRelookMs = 1_000;

/**
 * A live spawner has seen the end of its child and says so at once; so long anybody else waits before he
 * calls a task without an exit marker lost.
 */
const spawnerFirstMs = 1_000;

const busy = new WeakMap<SessionContext, Map<string, { again: boolean }>>();

/**
 * Looks at a task and does what its facts ask for: watch it, settle it, deliver its completion, or go on
 * with a stop whose author died. Everything that happens to a task that is not our own child ends up here,
 * and looking once too often changes nothing. One look at a task at a time; requests meanwhile become one more.
 */
export async function look(context: SessionContext, taskId: string): Promise<void> {
  const looks = busy.get(context) ?? new Map<string, { again: boolean }>();
  busy.set(context, looks);
  const running = looks.get(taskId);
  if (running !== undefined) {
    running.again = true;
    return;
  }
  const state = { again: false };
  looks.set(taskId, state);
  try {
    do {
      state.again = false;
      if (!context.closed) await lookOnce(context, taskId);
    } while (state.again);
    context.unlooked.delete(taskId);
  } catch (error) {
    // One that was never seen is not among the live ones, which are looked at again in any case.
    context.unlooked.add(taskId);
    throw error;
  } finally {
    looks.delete(taskId);
  }
}

async function lookOnce(context: SessionContext, taskId: string): Promise<void> {
  for (const attempt of context.spawning) if (attempt.taskId === taskId) return;
  const observed = observe(context, taskId);
  if (observed === null) return vanished(context, taskId);
  changed(context, taskId);
  noteWatches(context, taskId, observed.facts);
  const { facts, alive } = observed;
  const decision = decide(facts, alive);
  switch (decision.state) {
    case 'live':
      // Another machine's, since its record was changed: nobody here waits for it any more.
      if (decision.elsewhere) return forget(context, taskId);
      return await lookAtLive(context, taskId, observed);
    case 'settle':
      return await lookAtDead(context, taskId, observed);
    case 'ended':
      if (context.live.has(taskId) || !context.owed.has(taskId) || decision.delivered)
        push(context, taskId, null);
      // A consumer may have given its claim back.
      else for (const consumer of [...context.consumers]) consumer.offer(taskId, null);
      // Whoever settled it may have died before he had shortened its output.
      if (exceedsKeep(facts)) background(cutOutput(context, taskId));
      if (facts.openStop !== undefined) takeOverStop(context, taskId, observed, facts.openStop);
  }
}

async function lookAtLive(context: SessionContext, taskId: string, observed: Observed): Promise<void> {
  const live = watchOver(context, taskId, observed);
  const { stop, exit, spec } = observed.facts;
  if (stop !== undefined && takeOverStop(context, taskId, observed, stop)) return;
  if (exit !== undefined && spec?.leftovers === 'wait') {
    // Whether the shim, or a leftover that is waited for, or nothing lives, only a look at the processes can tell.
    if (shimIsAlive(context, observed) || !(await settle(context, taskId, observed))) relook(context, live);
  } else if (waitsForOthers(observed.facts)) {
    return;
  } else if (exit !== undefined || observed.facts.started === undefined) {
    relook(context, live);
  }
}

/** Goes on with a stop that nobody is at work on. That takes its grace, which no look waits for. */
function takeOverStop(context: SessionContext, taskId: string, observed: Observed, stop: StopFact): boolean {
  if (!isAbandoned(context, taskId, stop)) return false;
  background(continueStop(context, taskId, observed, stop));
  return true;
}

function shimIsAlive(context: SessionContext, observed: Observed): boolean {
  const { started } = observed.facts;
  return started !== undefined && livesHere(started.pid, started.start, context.store.system);
}

async function lookAtDead(context: SessionContext, taskId: string, observed: Observed): Promise<void> {
  const live = watchOver(context, taskId, observed);
  const { stop, spec, exit } = observed.facts;
  if (live.stop !== null) return;
  if (stop !== undefined) {
    // Its author settles it when the whole tree is gone; without one, we do his work.
    if (!takeOverStop(context, taskId, observed, stop)) relook(context, live);
    return;
  }
  const spawner = spec !== undefined && exit === undefined && !live.own ? spec.by : null;
  if (
    spawner !== null &&
    live.relookMs < spawnerFirstMs &&
    isAlive(spawner, context.store.system) === 'yes'
  ) {
    relook(context, live);
    return;
  }
  if (!(await settle(context, taskId, observed))) relook(context, live);
}

/** Keeps an eye on a task that has not ended. */
function watchOver(context: SessionContext, taskId: string, observed: Observed): LiveTask {
  const known = context.live.get(taskId);
  const { spec } = observed.facts;
  const shim = shimOf(observed.facts);
  const live = known ?? newLiveTask(taskId, false, spec);
  const isNewlyStarted = observed.facts.started !== undefined && (live.pid === null || live.awaitsStart);
  if (shim !== undefined) live.pid = shim.pid;
  followQueue(context, live, observed.facts);
  live.stopAsked = observed.facts.stop !== undefined;
  if (known === undefined) {
    context.live.set(taskId, live);
    context.store.system.hold?.(live.cookie);
  }
  if (observed.alive === 'yes' && (known === undefined || isNewlyStarted)) {
    context.enforcer?.include(live, observed.facts);
    stopIfStale(context, live, observed.facts);
    letRun(context, live, observed.facts);
  }
  return live;
}

/**
 * On Windows a shim is recorded before it runs, and its spawner may have died in between: whoever takes it up lets it
 * run, which does nothing to one that does.
 */
function letRun(context: SessionContext, { own }: LiveTask, { started }: Facts): void {
  if (!own && started !== undefined) context.store.system.resume?.(started.pid, started.start);
}

/** What is kept in memory of a task that was just started or found. */
export function newLiveTask(id: string, own: boolean, spec: SpecFact | undefined): LiveTask {
  return {
    id,
    own,
    cookie: spec?.cookie ?? '',
    pid: null,
    reaped: null,
    stop: null,
    stopAsked: false,
    awaitsStart: false,
    waitingStart: null,
    relook: null,
    relookMs: firstRelookMs,
  };
}

/** Looks again soon, and later each time. */
function relook(context: SessionContext, live: LiveTask): void {
  live.relook?.cancel();
  live.relook = after(live.relookMs, () => background(look(context, live.id)));
  live.relookMs = Math.min(live.relookMs * 2, longestRelookMs);
}

/** The exit of our own child: the shortest way from the end of a command to its completion. */
export function ownChildExited(context: SessionContext, live: LiveTask, reaped: Reaped): void {
  live.reaped = reaped;
  // A stop that runs here settles when the whole tree is gone.
  if (context.closed || live.stop !== null) return;
  background(look(context, live.id));
}

/** The record of a task is gone: somebody removed it. Nobody can be told more than that. */
function vanished(context: SessionContext, taskId: string): void {
  const live = context.live.get(taskId);
  if (live?.awaitsStart && isRemoved(context, taskId)) endWaitingShim(context, live);
  if (live?.own === true && live.reaped === null) return;
  forget(context, taskId);
  context.owed.delete(taskId);
  const waiters = [...(context.waiters.get(taskId) ?? [])];
  context.waiters.delete(taskId);
  for (const waiter of waiters) waiter.ended(null);
  changed(context, taskId);
}

/** Gone for certain, and not only out of reach. */
function isRemoved(context: SessionContext, taskId: string): boolean {
  try {
    return statSync(taskPaths(context.paths, taskId).log, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** A suspended shim whose record is gone would wait for its turn for ever: nobody can give it any. It has run nothing. */
function endWaitingShim(context: SessionContext, live: LiveTask): void {
  if (live.pid === null) return;
  if (live.own && live.reaped === null) signalGroup(live.pid, 'SIGKILL');
  else if (!live.own && live.waitingStart !== null)
    signalMember({ pid: live.pid, start: live.waitingStart, command: '' }, 'SIGKILL', context.store.system);
}
