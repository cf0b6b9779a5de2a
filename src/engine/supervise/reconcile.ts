import { internal } from '../../errors/error.ts';
import { isForeseen } from '../../errors/expected.ts';
import { hasEnded } from '../../model/decide.ts';
import type { ExitFact, SpecFact, StopFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { shimOf } from '../../model/fold.ts';
import { defaults } from '../../model/limits.ts';
import { trace } from '../../util/topic.ts';
import { after, monotonicMs } from '../../util/wait.ts';
import { forget, pushRecorded } from '../completions/deliver.ts';
import { enforce } from '../end/enforce.ts';
import { settle } from '../end/settle.ts';
import { continueStop, isAbandoned } from '../end/stop-from-outside.ts';
import { graceOf } from '../end/stop-request.ts';
import { findMembers, treeOf } from '../processes/members.ts';
import { followQueue, grantTurns, waitsForOthers } from '../queue/queue.ts';
import { background } from '../session/background.ts';
import { changed } from '../session/changes.ts';
import type { LiveTask, SessionContext } from '../session/context.ts';
import { type Observed, observe } from '../session/observe.ts';
import { putAwaySoon } from '../session/put-away.ts';
import { hasAnswered, nudge, shimHasMs, shimLives, stoppedBlindly } from '../session/shim-control.ts';
import { cutSoon, exceedsKeep } from '../store/cut-output.ts';
import { noteWatches } from '../watches/pattern-watches.ts';

/** The first pause before the next check of a task that is about to end; it doubles up to that of the slow poll. */
const firstRelookMs = 1;
const longestRelookMs = 1_000;

/** A shim that has not answered a request to stop by then is told again; the grace, and this, is what it has. */
const answersWithinMs = 1_000;

/** After this long without a word from the shim, it checks whether the shim is there. */
const startsWithinMs = 500;

const busy = new WeakMap<SessionContext, Map<string, { again: boolean }>>();

/**
 * Checks a task and does what its facts require: watch it, settle it, deliver its completion, or continue a stop whose
 * author died. Everything that happens to a task that is not our own child ends up here, and one check too many changes
 * nothing. One check of a task runs at a time; requests meanwhile become one more.
 */
export async function reconcile(context: SessionContext, taskId: string): Promise<void> {
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
    context.unreconciled.delete(taskId);
  } catch (error) {
    // A task that was never seen is not among the live ones, which get another check anyway.
    context.unreconciled.add(taskId);
    if (!isForeseen(error)) failWaiters(context, taskId, error);
    throw error;
  } finally {
    looks.delete(taskId);
  }
}

/** The same, for those who do not wait for it. */
export function reconcileSoon(context: SessionContext, taskId: string): void {
  background(context, 'checking a task', reconcile(context, taskId), taskId);
}

/** The next check fails with the same mistake, so no caller must wait for its result. */
function failWaiters(context: SessionContext, taskId: string, cause: unknown): void {
  const waiters = [...(context.waiters.get(taskId) ?? [])];
  for (const waiter of waiters) waiter.failed(internal(`checking the task ${taskId}`, cause));
}

async function lookOnce(context: SessionContext, taskId: string): Promise<void> {
  for (const attempt of context.spawning) if (attempt.taskId === taskId) return;
  const observed = observe(context, taskId);
  context.away.delete(taskId);
  if (observed === null) return vanished(context, taskId);
  changed(context, taskId);
  noteWatches(context, taskId, observed.facts);
  const { facts, decision } = observed;
  trace(() => `${taskId}: reconciled: ${decision.state === 'live' ? decision.status : decision.state}`);
  switch (decision.state) {
    case 'live':
      if (decision.elsewhere) {
        context.away.add(taskId);
        // It may have been one of here until its record was changed.
        return forget(context, taskId);
      }
      return await lookAtLive(context, taskId, observed);
    case 'settle':
      return await lookAtDead(context, taskId, observed);
    case 'ended':
      if (context.live.has(taskId) || !context.pending.has(taskId) || decision.delivered)
        pushRecorded(context, taskId, observed);
      // A consumer may have given its claim back.
      else for (const consumer of [...context.consumers]) consumer.offer(taskId, null);
      // The process that settled it may have died before it shortened its output.
      if (exceedsKeep(facts) && context.store.keepsHouse) cutSoon(context, taskId);
      // The shim answers a stop of what is left; when it is gone, somebody else does.
      if (facts.openStop !== undefined && observed.away === null && !shimLives(context, facts))
        takeOverStop(context, taskId, observed, facts.openStop);
      if (facts.isDone && !observed.isPutAway) putAwaySoon(context, taskId);
  }
}

async function lookAtLive(context: SessionContext, taskId: string, observed: Observed): Promise<void> {
  const live = watchOver(context, taskId, observed);
  const { stop, exit, spec, started } = observed.facts;
  if (stop !== undefined) {
    if (!leaveToShim(context, live, observed, stop)) takeOverStop(context, taskId, observed, stop);
    reconcileAgain(context, live);
    return;
  }
  if (exit !== undefined && spec?.leftovers === 'wait' && started?.subreaper !== true) {
    // Only a check of the processes can tell whether the shim, a leftover that the task waits for, or nothing lives.
    if (shimLives(context, observed.facts) || !(await settle(context, taskId, observed)))
      reconcileAgain(context, live);
  } else if (waitsForOthers(observed.facts)) {
    return grantTurns(context);
    // Of an end that is pending a shim that is a subreaper tells; another one ends.
  } else if (started === undefined || (exit !== undefined && !(exit.pending && started.subreaper))) {
    live.neverStarts = await isKilledEarly(context, live, observed.facts);
    reconcileAgain(context, live);
  }
}

/**
 * Whether the shim of a task that this process has spawned was killed before it could say who it is: then no process
 * carries the cookie. If that is wrong, the outcome on disk still forbids the command to run.
 */
async function isKilledEarly(context: SessionContext, live: LiveTask, facts: Facts): Promise<boolean> {
  const { launchedAt, id } = live;
  // What a record without a spec says is not of this task.
  if (facts.spec !== undefined && (shimOf(facts) ?? facts.exit) !== undefined) return false;
  if (launchedAt === null || monotonicMs() - launchedAt < startsWithinMs) return false;
  return (await findMembers(treeOf(context, id, facts), context.store.system)).length === 0;
}

/** Whether a stop is the shim's work: it answers, or still may. It is told again until it does. */
function leaveToShim(context: SessionContext, live: LiveTask, observed: Observed, stop: StopFact): boolean {
  const { facts } = observed;
  live.stopSeenAt ??= monotonicMs();
  if (facts.spec?.seal === undefined || live.stop !== null) return live.stop !== null;
  const waited = monotonicMs() - live.stopSeenAt;
  if (waited >= graceOf(facts, stop) + shimHasMs(facts, stop)) return false;
  if (!hasAnswered(facts, stop) && waited >= answersWithinMs) nudge(context, facts);
  return true;
}

/** Continues a stop that no process works on. That takes its grace; no check waits for it. */
function takeOverStop(context: SessionContext, taskId: string, observed: Observed, stop: StopFact): boolean {
  if (!isAbandoned(context, taskId, stop)) return false;
  background(context, 'stopping a task', continueStop(context, taskId, observed, stop), taskId);
  return true;
}

async function lookAtDead(context: SessionContext, taskId: string, observed: Observed): Promise<void> {
  const live = watchOver(context, taskId, observed);
  const { facts } = observed;
  if (live.stop !== null) return;
  if (facts.stop !== undefined && (!hasEnded(facts) || stoppedBlindly(facts))) {
    // The shim is gone, or could not see them. The process that requested the stop ends the rest. If it is gone, this
    // process does its work.
    if (!takeOverStop(context, taskId, observed, facts.stop)) reconcileAgain(context, live);
    return;
  }
  if (!(await settle(context, taskId, observed))) reconcileAgain(context, live);
}

/** Keeps an eye on a task that has not ended. */
function watchOver(context: SessionContext, taskId: string, observed: Observed): LiveTask {
  const known = context.live.get(taskId);
  const { spec } = observed.facts;
  const { started } = observed.facts;
  const live = known ?? newLiveTask(taskId, false, spec);
  const isNewlyStarted = started !== undefined && (live.command === null || live.awaitsStart);
  const shim = shimOf(observed.facts);
  if (shim !== undefined) live.shim = { pid: shim.pid, start: shim.start };
  if (started !== undefined) live.command = { pid: started.pid, start: started.start };
  followQueue(context, live, observed.facts);
  if (observed.facts.stop !== undefined) live.stopSeenAt ??= monotonicMs();
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

/** Stops a task that another process has spawned, if it has run for as long as the session allows adopted tasks. */
function stopIfStale(context: SessionContext, live: LiveTask, { spec, started, stop }: Facts): void {
  const { staleAfterMs } = context.limits;
  if (staleAfterMs === null || live.own || spec === undefined || stop !== undefined) return;
  const elapsed = started === undefined ? 0 : Date.now() - started.at;
  if (elapsed >= staleAfterMs) enforce(context, live.id, 'stale');
}

/**
 * On Windows a shim is recorded before it runs, and its spawner may have died in between: the process that takes it up lets it
 * run, which does nothing to one that does.
 */
function letRun(context: SessionContext, { own }: LiveTask, { started }: Facts): void {
  if (!own && started !== undefined) context.store.system.resume?.(started.shimPid, started.shimStart);
}

/** What is kept in memory of a task that was just started or found. */
export function newLiveTask(id: string, own: boolean, spec: SpecFact | undefined): LiveTask {
  return {
    id,
    own,
    cookie: spec?.cookie ?? '',
    graceMs: spec?.graceMs ?? defaults.graceMs,
    launchedAt: null,
    neverStarts: false,
    rings: false,
    shim: null,
    command: null,
    stop: null,
    stopSeenAt: null,
    endSeenAt: null,
    awaitsStart: false,
    reconcileAgain: null,
    reconcileAgainMs: firstRelookMs,
  };
}

/** Looks again soon, and later each time. */
function reconcileAgain(context: SessionContext, live: LiveTask): void {
  live.reconcileAgain?.cancel();
  live.reconcileAgain = after(live.reconcileAgainMs, () => reconcileSoon(context, live.id));
  live.reconcileAgainMs = Math.min(live.reconcileAgainMs * 2, longestRelookMs);
}

/** The doorbell tells of the end of a command: the shortest way to its completion. */
export function rung(context: SessionContext, live: LiveTask, exit: ExitFact): void {
  if (context.closed || !context.live.has(live.id)) return;
  context.heard.set(live.id, exit);
  // What comes after it, of processes that are left, the log alone tells.
  live.rings = false;
  reconcileSoon(context, live.id);
}

/** The record of a task is gone: somebody removed it. outlive can say no more than that. */
function vanished(context: SessionContext, taskId: string): void {
  const live = context.live.get(taskId);
  if (live?.rings === true) return;
  forget(context, taskId);
  context.pending.delete(taskId);
  const waiters = [...(context.waiters.get(taskId) ?? [])];
  context.waiters.delete(taskId);
  for (const waiter of waiters) waiter.ended(null);
  changed(context, taskId);
}
