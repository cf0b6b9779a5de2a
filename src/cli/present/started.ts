import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { Io } from '../io.ts';
import { jsonLine } from './task.ts';

/** Prints the id of a task that was started. Where that fails somebody else must learn of it: it goes on. */
export async function printStarted(io: Io, snapshot: TaskSnapshot): Promise<void> {
  try {
    await io.out(io.json ? jsonLine(snapshot) : `${snapshot.taskId}\n`);
  } catch (error) {
    io.note(`${snapshot.taskId} was started, and goes on`);
    throw error;
  }
}
