import { OutliveError } from '../../errors/error.ts';
import type { QueuePlace, WaitingFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import type { OnLimit } from '../../model/words.ts';
import { record } from '../session/append.ts';
import { report } from '../session/background.ts';
import type { LiveTask, QueuedTask, SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { nudge } from '../session/shim-control.ts';
import { startedNow } from './started.ts';

/** How many tasks a message names; `details` has all. */
const namedTasks = 5;

/** What a spawn asks of the queue; see the options of `spawn()`. */
export interface PlaceRequest {
  readonly onLimit: OnLimit;
  /** The task that has to complete before; null: none. */
  readonly after: string | null;
  /** How many tasks of the session may run; null: the limit of the session. */
  readonly maxRunning: number | null;
}

/** Where a new task stands among those of its session. */
export interface SpawnPlace extends QueuePlace {
  /** It waits when there is no place for it; else it is refused. */
  readonly waits: boolean;
}

/**
 * The place of a new task. Its shim takes it, and knows by locks whether there is one. Before that, this process
 * refuses a task that may not wait if it knows of no free place, which costs no process. On Windows no shim checks: a
 * task that may wait starts at once if there is a place and no task waits before it.
 * @param leaving how many of the running tasks are about to be stopped for it.
 * @throws OutliveError `TASK_LIMIT`.
 */
export function placeFor(context: SessionContext, request: PlaceRequest, leaving = 0): SpawnPlace {
  const { onLimit, after } = request;
  const maxRunning = request.maxRunning ?? context.limits.maxRunning;
  const place = { maxRunning, order: nextOrder() };
  const mayWait = onLimit === 'queue' || after !== null;
  const isFull = countRunning(context) - leaving >= maxRunning;
  if (isFull && !mayWait) throw taskLimit(context);
  const isAlone = context.queued.size === 0 && waitingAttempts(context).length === 0;
  const startsAtOnce = process.platform === 'win32' && after === null && !isFull && isAlone;
  return { ...place, waits: mayWait && !startsAtOnce };
}

/** The session runs as many tasks as it may, and this one was not to wait. */
export function taskLimit(context: SessionContext): OutliveError {
  const { maxRunning } = context.limits;
  const running = [...context.live.keys()].filter((taskId) => !context.queued.has(taskId));
  const named = running.slice(0, namedTasks).join(', ') + (running.length > namedTasks ? ' ...' : '');
  return new OutliveError(
    'TASK_LIMIT',
    `expected fewer than ${maxRunning} running tasks in the session; found no place free: ${named}. Wait for one, stop one, raise maxRunning, or let the task wait its turn with onLimit: 'queue'.`,
    { details: { running, maxRunning } },
  );
}

/**
 * Whether a task that is about to start has a place as far as is known here. A shim gives its place up a moment after its
 * task was told as ended, when it was stopped before it started.
 */
export function hasPlace(context: SessionContext): boolean {
  return countRunning(context) <= context.limits.maxRunning;
}

/** Tasks of the session that take a place: all that have not ended and do not wait for their turn. */
function countRunning(context: SessionContext): number {
  const starting = [...context.spawning].filter(({ live, place }) => live === null && !place.waits);
  return context.live.size - context.queued.size + starting.length;
}

/** Places of tasks that are on their way into the queue. */
function waitingAttempts(context: SessionContext): QueuePlace[] {
  return [...context.spawning].flatMap(({ live, place }) => (live === null && place.waits ? [place] : []));
}

let lastOrder = 0;

/** Microseconds of the monotonic clock, and in one process never the same twice. */
function nextOrder(): number {
  lastOrder = Math.max(lastOrder + 1, Number(process.hrtime.bigint() / 1000n));
  return lastOrder;
}

/**
 * Where shims have no locks: gives queued tasks their turn, the first in the queue first, as long as there are free
 * places. What is next and whether there is a place follows from the record alone, so that of several supervisors that
 * do this at the same moment all choose the same task. Call it whenever a place may have become free; it costs nothing
 * if nothing is queued. The tasks of the session must have been adopted: before that this process does not know how
 * many run.
 */
export function grantTurns(context: SessionContext): void {
  if (context.queued.size === 0 || !context.isAdopted || context.closed) return;
  try {
    grantAll(context);
  } catch (error) {
    // A log could not be read just now; each poll tries again.
    report(context, 'starting queued tasks', error);
  }
}

function grantAll(context: SessionContext): void {
  for (const [taskId, { place, after }] of inOrder(context)) {
    if (after !== null && endOf(context, after) !== 'completed') continue;
    const isNext = waitingAttempts(context).every(({ order }) => order > place.order);
    if (!isNext || countRunning(context) >= place.maxRunning) return;
    grant(context, taskId);
  }
}

function inOrder(context: SessionContext): [taskId: string, task: QueuedTask][] {
  const order = ([taskId, { place }]: [string, QueuedTask]): [number, string] => [place.order, taskId];
  return [...context.queued]
    .filter(([, { needsTurn }]) => needsTurn)
    .sort((one, other) => {
      const [[a, x], [b, y]] = [order(one), order(other)];
      return a - b || (x < y ? -1 : 1);
    });
}

/** How a task has ended for those that wait for that; one whose record is gone can not be known to have completed. */
export function endOf(context: SessionContext, taskId: string): 'completed' | 'otherwise' | null {
  const observed = observe(context, taskId);
  const decision = observed?.decision;
  if (decision?.state === 'live') return null;
  const end = decision?.state === 'settle' ? decision.verdict : decision?.outcome;
  return end?.status === 'completed' ? 'completed' : 'otherwise';
}

function grant(context: SessionContext, taskId: string): void {
  const observed = observe(context, taskId);
  const decision = observed?.decision;
  // Otherwise another process was faster, or the task is being stopped: its end comes by itself.
  context.queued.delete(taskId);
  if (observed === null || decision?.state !== 'live' || decision.status !== 'queued') return;
  record(context, taskId, [{ fact: 'turn', by: context.store.system.self(), at: Date.now() }]);
  wake(context, taskId, observed.facts);
}

/** Keeps count of a live task that was queued, from its facts; a shim that sleeps although its turn has come is woken. */
export function followQueue(context: SessionContext, live: LiveTask, facts: Facts): void {
  const { spec, waiting, turn, started, stop } = facts;
  live.awaitsStart = spec?.queue !== undefined && started === undefined;
  if (!live.awaitsStart || spec?.queue === undefined || turn !== undefined || stop !== undefined) {
    context.queued.delete(live.id);
  } else {
    const { queue: place, after = null } = spec;
    context.queued.set(live.id, { place, after, needsTurn: waiting?.locks === false });
  }
  if (live.awaitsStart && turn !== undefined) wake(context, live.id, facts);
}

/** Whether there is nothing to do for a task but to wait until others end. */
export function waitsForOthers({ spec, waiting, turn, started, stop }: Facts): boolean {
  return spec?.queue !== undefined && waiting !== undefined && !turn && !started && !stop;
}

/** Has a shim that waits for its turn read its log; one that has not said yet that it waits reads it before it does. */
function wake(context: SessionContext, taskId: string, facts: Facts): void {
  if (facts.waiting === undefined) return;
  if (context.store.system.resume === undefined) nudge(context, facts);
  else resumeShim(context, taskId, facts.waiting);
}

/** A shim that was created suspended cannot say that it runs: the process that has it run does. */
function resumeShim(context: SessionContext, taskId: string, { pid, start }: WaitingFact): void {
  if (context.store.system.resume?.(pid, start) !== true) return;
  record(context, taskId, [startedNow(pid, start)]);
}
