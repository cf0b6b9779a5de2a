import type { TaskSnapshot } from '../../model/snapshot.ts';
import { exitStatus, statusOfTask } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { jsonLine, remarks } from './task.ts';

/**
 * Prints the id of a task that was started. If that fails, another way must tell of the task, because it keeps running.
 * @returns the exit status: not 0 for a task that will never run.
 */
export async function printStarted(io: Io, snapshot: TaskSnapshot): Promise<number> {
  const isAborted = snapshot.statusReason === 'spawn_aborted';
  try {
    await io.out(io.json ? jsonLine(snapshot) : `${snapshot.taskId}\n`);
  } catch (error) {
    if (!isAborted) io.note(`${snapshot.taskId} was started, and keeps running`);
    throw error;
  }
  if (!isAborted) return exitStatus.ok;
  for (const remark of remarks(snapshot, io)) io.note(remark);
  return statusOfTask(snapshot);
}
