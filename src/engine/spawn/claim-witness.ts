import { AsyncLocalStorage } from 'node:async_hooks';

/** Is told the id of a task that has its key, before anything of it is started. What it throws keeps the task from starting. */
type Witness = (taskId: string) => void;

const witnesses = new AsyncLocalStorage<Witness>();

/**
 * Does something that spawns a task, and has a caller of the library note the task before it can start. After that the task may run, end,
 * and be removed by others before its spawner hears of it.
 */
export async function witnessed<Value>(witness: Witness, spawn: () => Promise<Value>): Promise<Value> {
  return await witnesses.run(witness, spawn);
}

/** A task has its keys, and is about to start. */
export function tellWitness(taskId: string): void {
  witnesses.getStore()?.(taskId);
}
