import type { Task } from '../../src/index.ts';
import { hasFact } from './logs.ts';
import { commandLineOf, onWindows } from './processes.ts';
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

/**
 * Waits until the commands of tasks have ended and nothing is left of them. A command that is about to start is no process of
 * its own for a moment, so that nothing to be seen is no end.
 */
export async function untilOver(world: World, ...taskIds: string[]): Promise<void> {
  for (const id of taskIds) {
    await waitFor(() => hasFact(world.logOf(id), 'exit'), `the end of ${id}`);
    await waitFor(() => world.pidsOf(id).length === 0, `the processes of ${id} to be gone`);
  }
}

/** Waits until two processes of a task sleep: a tree. Windows has no `setsid`, and there the shim and a shell count. */
export async function untilTwoSleep(world: World, taskId: string): Promise<void> {
  const sleeps = (pid: number): boolean => commandLineOf(pid)?.startsWith('sleep\0') === true;
  const isThere = (): boolean => {
    const pids = world.pidsOf(taskId);
    return onWindows ? pids.length >= 3 : pids.filter(sleeps).length === 2;
  };
  await waitFor(isThere, 'the tree');
}
