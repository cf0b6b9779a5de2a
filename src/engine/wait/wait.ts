import { closed, taskNotFound } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { after, holdProcess } from '../../util/wait.ts';
import { addWaiter, answer, removeWaiter } from '../completions/deliver.ts';
import { flush } from '../session/append.ts';
import type { EndWaiter, SessionContext } from '../session/context.ts';
import { observe, takeSnapshot } from '../session/observe.ts';
import { reconcileSoon } from '../supervise/reconcile.ts';

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
  const told = hasEnded(context, taskId) ? null : await nextEnd(context, taskId, options);
  flush(context, taskId);
  const snapshot = told ?? takeSnapshot(context, taskId);
  if (snapshot === null) throw taskNotFound(context.sessionId, taskId);
  return answer(context, snapshot, options.ack);
}

/** Of a task whose end comes by the doorbell, and has not come yet, nothing needs to be read. */
function hasEnded(context: SessionContext, taskId: string): boolean {
  if (context.live.get(taskId)?.rings === true) return false;
  const observed = observe(context, taskId);
  if (observed === null) throw taskNotFound(context.sessionId, taskId);
  return observed.decision.state === 'ended';
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
      failed: (error) => done(() => reject(error)),
      ended: (snapshot) => done(() => (context.closed ? reject(closed('session')) : resolve(snapshot))),
    };
    const timer = timeoutMs === undefined ? null : after(timeoutMs, () => done(() => resolve(null)));
    abortSignal?.addEventListener('abort', abort, { once: true });
    awaitEnd(context, taskId, waiter);
  });
}

/** The same as `addWaiter`, but first checks whether the task has ended already. */
export function awaitEnd(context: SessionContext, taskId: string, waiter: EndWaiter): void {
  addWaiter(context, taskId, waiter);
  // It may have ended without anybody having noticed, unless its end comes by the doorbell.
  if (context.live.get(taskId)?.rings !== true) reconcileSoon(context, taskId);
}
