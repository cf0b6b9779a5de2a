import { randomBytes } from 'node:crypto';
import { decide } from '../model/decide.ts';
import type { ClaimFact } from '../model/facts.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isAlive } from '../platform/identity.ts';
import { record } from './append.ts';
import type { SessionContext } from './context.ts';
import { describe, type Observed, observe } from './observe.ts';
import { grantTurns } from './queue.ts';

/**
 * Tells everybody here that a task has ended. A waiter who acknowledges has received the result, so nobody
 * else is told; otherwise the completion is owed until somebody acknowledges it.
 * @param snapshot what is known of the end; null means that it is on disk.
 */
export function push(context: SessionContext, taskId: string, snapshot: TaskSnapshot | null): void {
  let known = snapshot ?? snapshotFromDisk(context, taskId);
  const waiters = [...(context.waiters.get(taskId) ?? [])];
  const end = snapshot === null ? known : null;
  // What can fail comes first: then everything is as it was, and the next look tells them.
  if (end !== null && !end.delivered && waiters.some((waiter) => waiter.acknowledges(end))) {
    acknowledge(context, taskId);
    known = { ...end, delivered: true };
  }
  forget(context, taskId);
  context.waiters.delete(taskId);
  for (const waiter of waiters) waiter.ended(known);
  changed(context, taskId);
  if (known === null || known.delivered) {
    noteEvents(context, taskId, known?.statusReason);
    context.owed.delete(taskId);
    return;
  }
  context.owed.add(taskId);
  for (const consumer of [...context.consumers]) consumer.offer(taskId, known);
}

function snapshotFromDisk(context: SessionContext, taskId: string): TaskSnapshot | null {
  const observed = observe(context, taskId);
  return observed === null ? null : describe(context, taskId, observed);
}

/** Lets go of all that is kept of a live task. */
export function forget(context: SessionContext, taskId: string): void {
  const live = context.live.get(taskId);
  context.enforcer?.drop(taskId);
  live?.relook?.cancel();
  if (live !== undefined) context.store.system.letGo?.(live.cookie);
  context.live.delete(taskId);
  context.queued.delete(taskId);
  context.heard.delete(taskId);
  context.store.doorbell?.forget(taskId);
  // Whoever waits for the end is told first.
  if (context.queued.size > 0) setImmediate(() => grantTurns(context));
}

/** Wakes those who follow a task. */
export function changed(context: SessionContext, taskId: string): void {
  for (const listener of [...(context.listeners.get(taskId) ?? [])]) listener();
}

/** The completion of a task, if it is owed: ended, and not acknowledged by anybody. */
export function owedCompletion(context: SessionContext, taskId: string): TaskSnapshot | null {
  const observed = observeOwed(context, taskId);
  return observed === null ? null : describe(context, taskId, observed);
}

function observeOwed(context: SessionContext, taskId: string): Observed | null {
  const observed = observe(context, taskId);
  const decision = observed === null ? null : decide(observed.facts, observed.alive);
  const isUnanswered = context.unanswered.get(taskId) === observed?.facts.delivered?.id;
  if (decision?.state === 'ended' && (!decision.delivered || isUnanswered)) return observed;
  context.owed.delete(taskId);
  return null;
}

/**
 * Acknowledges a completion.
 * @returns whether this call was the first, among all processes.
 */
export function acknowledge(context: SessionContext, taskId: string): boolean {
  if (observeOwed(context, taskId) === null) return false;
  // Asked again after a failure below, it answers for the same fact.
  const known = context.unanswered.get(taskId);
  const id = known ?? randomBytes(6).toString('hex');
  if (known === undefined) {
    context.unanswered.set(taskId, id);
    record(context, taskId, [{ fact: 'delivered', id, at: Date.now() }]);
  }
  const { delivered, outcome } = observe(context, taskId)?.facts ?? {};
  context.unanswered.delete(taskId);
  context.owed.delete(taskId);
  noteEvents(context, taskId, outcome?.reason);
  return delivered?.id === id;
}

/** The next events about this task are our own. A shim that was given up may start all the same, and that is news. */
function noteEvents(context: SessionContext, taskId: string, reason: string | null | undefined): void {
  if (reason !== 'spawn_aborted') context.recent.add(taskId);
}

/** What came of an attempt to claim a completion. */
export type Claim = 'ours' | 'taken' | 'not_owed';

/**
 * Claims a completion for one consumer, so that of several live ones a single one handles it. The claim of
 * a dead process is void. Claimed again by its holder it stays his.
 */
export function claim(context: SessionContext, taskId: string, claimId: string): Claim {
  if (observeOwed(context, taskId) === null) return 'not_owed';
  const holder = claimHolder(context, taskId);
  if (holder !== undefined) return holder.id === claimId ? 'ours' : 'taken';
  record(context, taskId, [{ fact: 'claim', id: claimId, by: context.store.system.self() }]);
  return claimHolder(context, taskId)?.id === claimId ? 'ours' : 'taken';
}

/** Gives a claim back, for the next consumer. */
export function unclaim(context: SessionContext, taskId: string, claimId: string): void {
  if (claimHolder(context, taskId)?.id === claimId)
    record(context, taskId, [{ fact: 'unclaim', id: claimId }]);
}

function claimHolder(context: SessionContext, taskId: string): ClaimFact | undefined {
  const claims = observe(context, taskId)?.facts.claims ?? [];
  return claims.find((made) => isAlive(made.by, context.store.system) !== 'no');
}
