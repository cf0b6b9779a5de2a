import { unlessAborted } from '../../util/abort.ts';
import { type Quiet, untilQuiet } from '../until-quiet.ts';
import type { AgentFleetTask } from './agent-fleet.ts';

/** Longer than for a task of this machine: each check asks the host. */
const quiet: Quiet = { quietMs: 300, firstMs: 600, checkMs: 100 };

/** How much a task has written. */
export async function sizeOf(task: AgentFleetTask): Promise<number> {
  return (await task.read({ maxBytes: 1 })).size;
}

/**
 * Waits until a task on another host has written something and then nothing more for a moment, or the time is up.
 * @param before how much it had written.
 * @param waitMs how long to wait at most, in milliseconds.
 * @returns how much it has written.
 */
export async function untilQuietThere(
  task: AgentFleetTask,
  before: number,
  waitMs: number,
  abortSignal: AbortSignal,
): Promise<number> {
  const check = async () => ({ bytes: await unlessAborted(abortSignal, sizeOf(task)), isOver: false });
  return (await untilQuiet(check, before, waitMs, quiet)).bytes;
}
