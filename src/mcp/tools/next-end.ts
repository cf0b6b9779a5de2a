import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { ToolCall } from './tool.ts';

/**
 * Waits for whichever task of the session ends next; one that has ended and was not told of comes first.
 * @returns one that still runs when the time is up; null when there was nothing to wait for.
 */
export async function nextEnd(call: ToolCall, timeoutMs: number): Promise<TaskSnapshot | null> {
  const { desk } = call;
  const tasks = await desk.session.tasks();
  const untold = tasks.filter((task) => isEnded(task.status) && !task.delivered && call.untold(task.taskId));
  const [first] = untold.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  if (first !== undefined) return first;
  const live = tasks.filter((task) => !isEnded(task.status));
  if (live.length === 0) return null;
  const stop = new AbortController();
  const abortSignal = AbortSignal.any([call.abortSignal, stop.signal]);
  const waits = live.map(({ taskId }) =>
    desk.session.task(taskId).wait({ timeoutMs, ack: false, abortSignal }),
  );
  try {
    return await Promise.race(waits);
  } finally {
    stop.abort();
    await Promise.allSettled(waits);
  }
}
