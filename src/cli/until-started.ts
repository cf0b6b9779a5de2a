import type { Task } from '../api/task.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { monotonicMs, sleep } from '../util/wait.ts';

/** A shim starts its command within a few milliseconds; one that takes this long is held by something, and is told as it is. */
const patienceMs = 10_000;

/** The longest pause between two looks, in milliseconds. */
const longestPauseMs = 50;

/**
 * The task as soon as its command runs, has ended, or waits for its turn. The spawner must not end before that.
 * Otherwise, on a machine so busy that the shim is slow, another process could find the record alone, with no process
 * at work on it, and take the spawn for aborted after two seconds.
 */
export async function untilStarted(task: Task): Promise<TaskSnapshot> {
  const end = monotonicMs() + patienceMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const snapshot = task.snapshot();
    const { status, shimPid } = snapshot;
    // Before its shim has said that it waits, a queued task may be about to start.
    const isOnItsWay = status === 'starting' || (status === 'queued' && shimPid === null);
    if (!isOnItsWay || monotonicMs() > end) return snapshot;
    await sleep(pauseMs);
  }
}
