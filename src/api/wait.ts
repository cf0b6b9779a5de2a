import { flush } from '../engine/append.ts';
import { background } from '../engine/background.ts';
import type { EndWaiter, SessionContext } from '../engine/context.ts';
import { acknowledge } from '../engine/deliver.ts';
import { look } from '../engine/look.ts';
import { observe, takeSnapshot } from '../engine/observe.ts';
import { closed, taskNotFound } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { after, holdProcess } from '../util/wait.ts';

interface Waiting {
  readonly timeoutMs: number | undefined;
  readonly ack: boolean;
  readonly abortSignal: AbortSignal | undefined;
}

/** Resolves with the snapshot of a task when it has ended, or when the time is up. */
export async function untilEnded(
  context: SessionContext,
  taskId: string,
  options: Waiting,
): Promise<TaskSnapshot> {
  options.abortSignal?.throwIfAborted();
  const observed = observe(context, taskId);
  if (observed === null) throw taskNotFound(context.sessionId, taskId);
  const ended = decide(observed.facts, observed.alive).state === 'ended';
  const told = ended ? null : await nextEnd(context, taskId, options);
  flush(context, taskId);
  const snapshot = told ?? takeSnapshot(context, taskId);
  if (snapshot === null) throw taskNotFound(context.sessionId, taskId);
  if (!isEnded(snapshot.status) || snapshot.delivered) return snapshot;
  if (!options.ack) {
    // Somebody else may have settled it before we have noticed: who was told of the end finds it among what is owed.
    context.owed.add(taskId);
    return snapshot;
  }
  acknowledge(context, taskId);
  return { ...snapshot, delivered: true };
}

/** The snapshot that comes with the end; null when the time is up, or the record is gone. */
function nextEnd(context: SessionContext, taskId: string, options: Waiting): Promise<TaskSnapshot | null> {
  return new Promise((resolve, reject) => {
    const release = holdProcess();
    const done = (settle: () => void): void => {
      release();
      timer?.cancel();
      abortSignal?.removeEventListener('abort', abort);
      removeWaiter(context, taskId, waiter);
      settle();
    };
    const { abortSignal, timeoutMs } = options;
    const abort = (): void => done(() => reject(abortSignal?.reason));
    const waiter: EndWaiter = {
      acknowledges: () => options.ack,
      ended: (snapshot) => done(() => (context.closed ? reject(closed('session')) : resolve(snapshot))),
    };
    const timer = timeoutMs === undefined ? null : after(timeoutMs, () => done(() => resolve(null)));
    abortSignal?.addEventListener('abort', abort, { once: true });
    addWaiter(context, taskId, waiter);
  });
}

/** From now on the waiter is told when the task has ended. */
export function addWaiter(context: SessionContext, taskId: string, waiter: EndWaiter): void {
  const waiters = context.waiters.get(taskId) ?? new Set();
  context.waiters.set(taskId, waiters.add(waiter));
  // It may have ended without anybody having noticed, unless its end comes by the doorbell.
  if (context.live.get(taskId)?.rings !== true) background(look(context, taskId));
}

/** Takes back a waiter that was added. */
export function removeWaiter(context: SessionContext, taskId: string, waiter: EndWaiter): void {
  const waiters = context.waiters.get(taskId);
  waiters?.delete(waiter);
  if (waiters?.size === 0) context.waiters.delete(taskId);
}
