import { taskNotFound } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { answer, removeWaiter } from '../completions/deliver.ts';
import { report } from '../session/background.ts';
import type { EndWaiter, SessionContext } from '../session/context.ts';
import { takeSnapshot } from '../session/observe.ts';
import { stopTask } from './stop.ts';
import type { StopRequest } from './stop-request.ts';

/**
 * Stops a task for a caller who gets it as the answer. He waits for its end as the callers of `wait()` do: with `ack` the
 * end is told to nobody else.
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
    // Nobody else is told of the end any more, so the caller has to be.
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

  /** The stop looks at the task as well, and fails by the same mistake. */
  failed(): void {}
}
