import { sep } from 'node:path';
import { isOpenSomewhere } from '../engine/session/open-mark.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { currentSystem } from '../platform/current.ts';
import type { System } from '../platform/system.ts';
import { sessionPaths, taskIdPattern } from '../tasklog/paths.ts';
import type { Store } from './store.ts';

/** A younger task may belong to a process that has just opened the session, and has not marked that yet. */
const leftAfterMs = 5_000;

/**
 * The tasks that run in a folder, or below it, in sessions that no process has open, the oldest first: what an agent that is
 * gone has left running there. Those of another machine or container are left out.
 * @param own the session of the caller.
 */
export async function leftRunning(store: Store, folder: string, own: string): Promise<TaskSnapshot[]> {
  const system = await currentSystem();
  const open = new Map<string, boolean>();
  const isOpen = (sessionId: string): boolean => {
    const found = open.get(sessionId) ?? isOpenHere(store, sessionId, system);
    open.set(sessionId, found);
    return found;
  };
  const found: TaskSnapshot[] = [];
  for await (const task of store.eachTask({ live: true, previewBytes: 0 })) {
    const { cwd, sessionId, statusReason, createdAt } = task;
    if (sessionId === own || !isWithin(cwd, folder) || isOpen(sessionId)) continue;
    if (Date.now() - createdAt < leftAfterMs) continue;
    if (statusReason !== 'elsewhere' && statusReason !== 'copied') found.push(task);
  }
  return found.sort((a, b) => a.createdAt - b.createdAt);
}

/** The session of a task that is named by its whole id, if it is another one and nobody has it open; else null. */
export async function leftSession(store: Store, taskId: string, own: string): Promise<string | null> {
  if (!taskIdPattern.test(taskId)) return null;
  const system = await currentSystem();
  try {
    const { sessionId } = store.find(taskId, own);
    return sessionId === own || isOpenHere(store, sessionId, system) ? null : sessionId;
  } catch (error) {
    if (error instanceof OutliveError && error.code === 'TASK_NOT_FOUND') return null;
    throw error;
  }
}

function isOpenHere(store: Store, sessionId: string, system: System): boolean {
  return isOpenSomewhere(sessionPaths(store.dir, sessionId).dir, system);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
