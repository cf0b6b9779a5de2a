import type { Task } from '../api/task.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { monotonicMs, sleep } from '../util/wait.ts';

/** A shim starts its command within a few milliseconds; one that takes this long is held by something, and is told as it is. */
const patienceMs = 10_000;

/** The longest pause between two looks, in milliseconds. */
const longestPauseMs = 50;

/**
 * The task as soon as its command runs, has ended, or waits for its turn. Whoever spawned it is not to end before:
 * somebody who found its record alone, and nobody who is at work on it, would take the spawn for aborted after two
 * seconds, on a machine so busy that the shim has not come so far.
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
