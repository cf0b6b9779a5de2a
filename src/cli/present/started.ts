import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { Io } from '../io.ts';
import { jsonLine } from './task.ts';

/**
 * Prints the id of a task that was started. If that fails, another way must tell of the task, because it keeps running.
 */
export async function printStarted(io: Io, snapshot: TaskSnapshot): Promise<void> {
  try {
    await io.out(io.json ? jsonLine(snapshot) : `${snapshot.taskId}\n`);
  } catch (error) {
    io.note(`${snapshot.taskId} was started, and keeps running`);
    throw error;
  }
}
