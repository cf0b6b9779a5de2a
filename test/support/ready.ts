import type { Task } from '../../src/index.ts';
import { waitFor } from './world.ts';

/** Waits until a task has printed a word: fixtures say `ready` when there is something to test. */
export async function untilPrinted(task: Task, word = 'ready'): Promise<void> {
  await waitFor(async () => (await task.tail()).text.includes(word), `${task.id} to print ${word}`);
}
