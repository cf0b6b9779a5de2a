import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isEnded, openStore } from '../../src/index.ts';
import { stillAlive } from '../support/processes.ts';
import { sessionId } from './cast.ts';
import type { Claims } from './claims.ts';

/**
 * Stops every task of the scene that runs, and what ended ones have left behind.
 * @returns what that was, in words.
 */
export async function stopAll(dir: string): Promise<string[]> {
  if (!existsSync(dir)) return [];
  await using store = await openStore({ dir });
  const session = await store.session(sessionId);
  const tasks = (await session.tasks()).filter(
    ({ status, leftovers }) => !isEnded(status) || leftovers.length > 0,
  );
  // What could not be stopped is alive, and so is found by the check that comes after.
  await Promise.allSettled(tasks.map(({ taskId }) => session.task(taskId).kill({ graceMs: 500 })));
  return tasks.map(({ name, status }) => (isEnded(status) ? `what ${name} had left behind` : `${name}`));
}

/** Claims that no process of the scene is alive, from the list of all processes. */
export async function checkNothingIsLeft(
  dir: string,
  children: readonly ChildProcess[],
  claims: Claims,
): Promise<void> {
  if (!existsSync(dir)) return;
  await using store = await openStore({ dir });
  const tasks = await store.tasks();
  const ids = new Set(tasks.map(({ taskId }) => taskId));
  const groups = new Set(tasks.map(({ pid }) => pid));
  const pids = new Set(children.map(({ pid }) => pid));
  const alive = await stillAlive(
    ({ pid, group, cookie }) => pids.has(pid) || groups.has(group) || ids.has(cookie?.split('.')[0] ?? ''),
  );
  claims.equal('nothing that the scene has started is alive', alive, []);
}
