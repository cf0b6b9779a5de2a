import type { Task } from '../../src/index.ts';
import { hasFact } from './logs.ts';
import { type World, waitFor } from './world.ts';

/** Waits until a task has printed a word: fixtures say `ready` when there is something to test. */
export async function untilPrinted(task: Task, word = 'ready'): Promise<void> {
  await waitFor(async () => (await task.tail()).text.includes(word), `${task.id} to print ${word}`);
}

/** Waits until a task says that its command runs, or has run; spawn() answers before, and a busy machine takes its time. */
export async function untilStarted(world: World, ...taskIds: string[]): Promise<void> {
  for (const id of taskIds)
    await waitFor(() => hasFact(world.logOf(id), 'started'), `the command of ${id} to run`);
}
