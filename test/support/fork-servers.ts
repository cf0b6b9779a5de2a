import { readdirSync, readFileSync } from 'node:fs';
import { commandLineOf, lives } from './processes.ts';

/** The fork servers of a process. */
export function forkServersOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' '),
  );
  return children
    .map(Number)
    .filter((child) => child > 0 && lives(child) && commandLineOf(child)?.startsWith('outlive-fork-server'));
}

/** Begins so many spawns at the same moment. */
export function burst<T>(count: number, one: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_none, index) => one(index)));
}
