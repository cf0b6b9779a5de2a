import { noFacts } from '../../model/fold.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { logPath } from '../../tasklog/paths.ts';
import { HeldLog } from '../../tasklog/read-log.ts';
import { randomHex } from '../../util/crypto.ts';
import { record } from '../session/append.ts';
import type { SessionContext } from '../session/context.ts';
import { describe, type Observed, observe } from '../session/observe.ts';
import { readFacts } from '../session/read-record.ts';

/** The completion of a task, if it is pending: ended, and not acknowledged by anybody. */
export function pendingCompletion(context: SessionContext, taskId: string): TaskSnapshot | null {
  const observed = observePending(context, taskId);
  return observed === null ? null : describe(context, taskId, observed);
}

/** The same, without the snapshot. */
export function observePending(context: SessionContext, taskId: string): Observed | null {
  const observed = observe(context, taskId);
  const decision = observed?.decision;
  const isUnanswered = context.unanswered.get(taskId) === observed?.facts.delivered?.id;
  if (decision?.state === 'ended' && (!decision.delivered || isUnanswered)) return observed;
  context.pending.delete(taskId);
  return null;
}

/**
 * Acknowledges a completion.
 * @returns whether this call was the first, among all processes.
 */
export function acknowledge(context: SessionContext, taskId: string): boolean {
  if (observePending(context, taskId) === null) return false;
  // Asked again after a failure below, it answers for the same fact.
  const known = context.unanswered.get(taskId);
  const id = known ?? randomHex(6);
  // Other processes may remove an acknowledged task at once. The log still says who was first.
  using log = new HeldLog(logPath(context.paths, taskId));
  if (known === undefined) {
    context.unanswered.set(taskId, id);
    record(context, taskId, [{ fact: 'delivered', id, at: Date.now() }]);
  }
  const { delivered, outcome } = readFacts(context, taskId) ?? log.read()?.facts ?? noFacts;
  context.unanswered.delete(taskId);
  context.pending.delete(taskId);
  noteEvents(context, taskId, outcome?.reason);
  return delivered?.id === id;
}

/**
 * The next events about this task come from this process. But a shim that was given up may still start, and that is
 * news.
 */
export function noteEvents(context: SessionContext, taskId: string, reason: string | null | undefined): void {
  if (reason !== 'spawn_aborted') context.recent.add(taskId);
}
