import { OutliveError } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import type { QueuePlace, WaitingFact } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import type { OnLimit } from '../model/words.ts';
import { record } from './append.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { observe } from './observe.ts';
import { nudge } from './shim-control.ts';
import { startedNow } from './windows/started.ts';

/** So many tasks are named in a message; `details` has all. */
const namedTasks = 5;

/**
 * Finds a place for a new task: `null` to start at once, else its place in the queue. One that may wait does so
 * also when others wait already, which were there before.
 * @throws OutliveError `TASK_LIMIT`.
 */
export function placeFor(context: SessionContext, onLimit: OnLimit): QueuePlace | null {
  const { maxRunning } = context.limits;
  const count = countRunning(context);
  const othersWait = context.queued.size > 0 || waitingAttempts(context).length > 0;
  if (count < maxRunning && !(onLimit === 'queue' && othersWait)) return null;
  if (onLimit === 'queue') return { maxRunning, order: nextOrder() };
  const running = [...context.live.keys()].filter((taskId) => !context.queued.has(taskId));
  throw new OutliveError(
    'TASK_LIMIT',
    `expected fewer than ${maxRunning} running tasks in the session; found ${count}: ${running.slice(0, namedTasks).join(', ')}${running.length > namedTasks ? ' ...' : ''}. Wait for one, stop one, raise maxRunning, or let the task wait its turn with onLimit: 'queue'.`,
    { details: { running, maxRunning } },
  );
}

/** Tasks of the session that take a place: all that have not ended and do not wait for their turn. */
function countRunning(context: SessionContext): number {
  const starting = [...context.spawning].filter(({ live, queue }) => live === null && queue === null);
  return context.live.size - context.queued.size + starting.length;
}

/** Places of tasks that are on their way into the queue. */
function waitingAttempts(context: SessionContext): QueuePlace[] {
  return [...context.spawning].flatMap(({ live, queue }) => (live === null && queue !== null ? [queue] : []));
}

let lastOrder = 0;

/** Microseconds of the monotonic clock, and in one process never the same twice. */
function nextOrder(): number {
  lastOrder = Math.max(lastOrder + 1, Number(process.hrtime.bigint() / 1000n));
  return lastOrder;
}

/**
 * Gives queued tasks their turn, the first in the queue first, as long as there are free places. What is next and
 * whether there is a place follows from the record alone, so that of several supervisors that do this at the same
 * moment all choose the same task. To be called whenever a place may have become free; costs nothing when nothing
 * is queued. The tasks of the session must have been adopted: before that nobody knows how many run.
 */
export function grantTurns(context: SessionContext): void {
  if (context.queued.size === 0 || !context.isAdopted || context.closed) return;
  try {
    grantAll(context);
  } catch {
    // A log could not be read just now; each poll tries again.
  }
}

function grantAll(context: SessionContext): void {
  for (const [taskId, place] of inOrder(context)) {
    const isNext = waitingAttempts(context).every(({ order }) => order > place.order);
    if (!isNext || countRunning(context) >= place.maxRunning) return;
    grant(context, taskId);
  }
}

function inOrder(context: SessionContext): [taskId: string, place: QueuePlace][] {
  return [...context.queued].sort(([a, { order: x }], [b, { order: y }]) => x - y || (a < b ? -1 : 1));
}

function grant(context: SessionContext, taskId: string): void {
  const observed = observe(context, taskId);
  const decision = observed === null ? null : decide(observed.facts, observed.alive);
  // Else somebody was faster, or it is being stopped: its end comes by itself.
  context.queued.delete(taskId);
  if (observed === null || decision?.state !== 'live' || decision.status !== 'queued') return;
  record(context, taskId, [{ fact: 'turn', by: context.store.system.self(), at: Date.now() }]);
  wake(context, taskId, observed.facts);
}

/** Keeps count of a live task that was queued, from its facts; a shim that sleeps although its turn has come is woken. */
export function followQueue(context: SessionContext, live: LiveTask, facts: Facts): void {
  const { spec, turn, started, stop } = facts;
  live.awaitsStart = spec?.queue !== undefined && started === undefined;
  if (!live.awaitsStart || spec?.queue === undefined || turn !== undefined || stop !== undefined) {
    context.queued.delete(live.id);
  } else {
    context.queued.set(live.id, spec.queue);
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
