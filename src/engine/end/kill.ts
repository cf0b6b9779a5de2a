import { taskNotFound } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { answer, removeWaiter } from '../completions/deliver.ts';
import { report } from '../session/background.ts';
import type { EndWaiter, SessionContext } from '../session/context.ts';
import { takeSnapshot } from '../session/observe.ts';
import { stopTask } from './stop.ts';
import type { StopRequest } from './stop-request.ts';

/**
 * Stops a task for a caller that gets the result. The caller waits for the end as callers of `wait()` do: with `ack` no
 * other consumer hears of the end.
 * @throws OutliveError as `stopTask` does; then nothing is acknowledged.
 */
export async function killTask(
  context: SessionContext,
  taskId: string,
  request: StopRequest,
  ack: boolean,
): Promise<TaskSnapshot> {
  const caller = new Caller(ack);
  try {
    await stopTask(context, taskId, request, caller);
    const snapshot = takeSnapshot(context, taskId) ?? caller.end;
    if (snapshot === null) throw taskNotFound(context.sessionId, taskId);
    return answer(context, snapshot, ack);
  } catch (error) {
    if (!ack || caller.end === null) throw error;
    // No other consumer is told of the end after this, so the caller must be.
    report(context, 'stopping a task', error, { taskId });
    return caller.end;
  } finally {
    removeWaiter(context, taskId, caller);
  }
}

class Caller implements EndWaiter {
  readonly #ack: boolean;
  end: TaskSnapshot | null = null;

  constructor(ack: boolean) {
    this.#ack = ack;
  }

  acknowledges(): boolean {
    return this.#ack;
  }

  ended(snapshot: TaskSnapshot | null): void {
    this.end = snapshot;
  }

  /** The stop checks the task as well, and fails with the same mistake. */
  failed(): void {}
}
