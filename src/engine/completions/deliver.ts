import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { grantTurns } from '../queue/queue.ts';
import { changed } from '../session/changes.ts';
import type { EndWaiter, SessionContext } from '../session/context.ts';
import { describe, type Observed, observe, takeSnapshot } from '../session/observe.ts';
import { endTopic, placeOf } from '../session/topics.ts';
import { acknowledge, noteEvents } from './acknowledge.ts';

/** Tells everybody here of an end that is on record: see {@link push}. */
export function pushRecorded(context: SessionContext, taskId: string, observed: Observed): void {
  const isNews = context.live.has(taskId);
  const end = describe(context, taskId, observed);
  const waiters = [...(context.waiters.get(taskId) ?? [])];
  const isTaken = !end.delivered && waiters.some((waiter) => waiter.acknowledges(end));
  // What can fail comes first: then everything is as it was, and the next look tells them.
  if (isTaken) acknowledge(context, taskId);
  tell(context, isTaken ? { ...end, delivered: true } : end, isNews);
}

/**
 * Tells everybody here that a task has ended, which was settled here. A waiter who acknowledges has received the result,
 * so nobody else is told; otherwise the completion is pending until somebody acknowledges it.
 */
export function push(context: SessionContext, end: TaskSnapshot): void {
  tell(context, end, true);
}

function tell(context: SessionContext, end: TaskSnapshot, isNews: boolean): void {
  const { taskId, delivered, statusReason } = end;
  const waiters = [...(context.waiters.get(taskId) ?? [])];
  forget(context, taskId);
  if (isNews) tellEnd(context, end);
  context.waiters.delete(taskId);
  for (const waiter of waiters) waiter.ended(end);
  changed(context, taskId);
  if (delivered) {
    noteEvents(context, taskId, statusReason);
    context.pending.delete(taskId);
    return;
  }
  context.pending.add(taskId);
  for (const consumer of [...context.consumers]) consumer.offer(taskId, end);
}

function tellEnd(context: SessionContext, snapshot: TaskSnapshot): void {
  const { taskId, status, statusReason, exitCode, durationMs } = snapshot;
  endTopic.tell(() => ({ ...placeOf(context, taskId), status, statusReason, exitCode, durationMs }));
}

/** Tells of an end that is on record, unless it was told: who is answered that a task has ended finds it pending. */
export function pushUntold(context: SessionContext, taskId: string): void {
  const observed = isTold(context, taskId) ? null : observe(context, taskId);
  if (observed?.decision.state === 'ended') pushRecorded(context, taskId, observed);
}

/** Whether everybody here has been told that a task has ended. */
export function isTold(context: SessionContext, taskId: string): boolean {
  return (context.pending.has(taskId) || context.recent.has(taskId)) && !context.live.has(taskId);
}

/** From now on the waiter is told when the task has ended. */
export function addWaiter(context: SessionContext, taskId: string, waiter: EndWaiter): void {
  const waiters = context.waiters.get(taskId) ?? new Set();
  context.waiters.set(taskId, waiters.add(waiter));
}

/** Takes back a waiter that was added. */
export function removeWaiter(context: SessionContext, taskId: string, waiter: EndWaiter): void {
  const waiters = context.waiters.get(taskId);
  waiters?.delete(waiter);
  if (waiters?.size === 0) context.waiters.delete(taskId);
}

/**
 * The rule of acknowledgement, for a caller who gets a task as the answer: if it has ended, the answer is the delivery of
 * its completion. With `ack: false` the completion is pending when the caller has the answer.
 */
export function answer(context: SessionContext, snapshot: TaskSnapshot, ack: boolean): TaskSnapshot {
  const { taskId, status, delivered } = snapshot;
  if (!isEnded(status) || delivered) return snapshot;
  if (!ack) {
    // Another process may have settled it before this one has noticed.
    context.pending.add(taskId);
    return snapshot;
  }
  // Where it was not the first, either another one was, or the end is not on disk yet, and its completion comes later.
  const isDelivered = acknowledge(context, taskId) || takeSnapshot(context, taskId)?.delivered !== false;
  return { ...snapshot, delivered: isDelivered };
}

/** Lets go of all that is kept of a live task. */
export function forget(context: SessionContext, taskId: string): void {
  const live = context.live.get(taskId);
  context.enforcer?.drop(taskId);
  live?.reconcileAgain?.cancel();
  if (live !== undefined) context.store.system.letGo?.(live.cookie);
  context.live.delete(taskId);
  context.queued.delete(taskId);
  context.heard.delete(taskId);
  context.store.doorbell?.forget(taskId);
  // Callers that wait for the end are told first.
  if (context.queued.size > 0) setImmediate(() => grantTurns(context));
}
