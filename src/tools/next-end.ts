import { overSince, type TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { firstOf } from '../util/abort.ts';
import type { ToolCall } from './tool.ts';

/**
 * Waits for the next task of the session that ends. One that has already ended, but was not told of, comes first.
 * @returns one that still runs when the time is up; null when there was nothing to wait for.
 */
export async function nextEnd(call: ToolCall, timeoutMs: number): Promise<TaskSnapshot | null> {
  const { clientSession } = call;
  const tasks = await clientSession.session.tasks();
  const untold = tasks.filter((task) => isEnded(task.status) && !task.delivered && call.untold(task.taskId));
  const first = untold.sort((a, b) => overSince(a) - overSince(b)).find(({ taskId }) => call.take(taskId));
  if (first !== undefined) return first;
  const live = tasks.filter((task) => !isEnded(task.status) && call.mayHear(task.taskId));
  if (live.length === 0) return null;
  if (live.length === 1 && live[0] !== undefined) call.follows(live[0].taskId);
  const stop = new AbortController();
  const abortSignal = firstOf(call.abortSignal, stop.signal);
  const waits = live.map(({ taskId }) =>
    clientSession.session.task(taskId).wait({ timeoutMs, ack: false, abortSignal }),
  );
  try {
    return await Promise.race(waits);
  } finally {
    stop.abort();
    await Promise.allSettled(waits);
  }
}
