import { monotonicMs, sleep } from '../../util/wait.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { unlessAborted } from './there.ts';

/** An answer comes when nothing was written for `quietMs`, and not before the program had `firstMs` to say something. */
const quietMs = 300;
const firstMs = 600;
/** Between two looks, each of which is a question to the host. */
const lookMs = 100;

/** How much a task has written. */
export async function sizeOf(task: AgentFleetTask): Promise<number> {
  return (await task.read({ maxBytes: 1 })).size;
}

/**
 * Waits until a task has said something and then nothing more for a moment, or the time is up.
 * @param before how much it had written.
 * @param waitMs how long to wait at most, in milliseconds.
 * @returns how much it has written.
 */
export async function untilQuiet(
  task: AgentFleetTask,
  before: number,
  waitMs: number,
  abortSignal: AbortSignal,
): Promise<number> {
  const begin = monotonicMs();
  let { size, since } = { size: before, since: begin };
  for (;;) {
    const found = await unlessAborted(abortSignal, sizeOf(task));
    const now = monotonicMs();
    if (found !== size) ({ size, since } = { size: found, since: now });
    const isQuiet = now - since >= (size === before ? firstMs : quietMs);
    if (isQuiet || now - begin >= waitMs) return size;
    await sleep(lookMs);
  }
}
