import { statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../tasklog/files.ts';
import { taskPaths } from '../tasklog/paths.ts';
import { yieldToOthers } from '../util/wait.ts';
import type { SessionContext, StoreContext } from './context.ts';
import { cutOutput, exceedsKeep } from './cut-output.ts';
import { taskIds, unhurried } from './listing.ts';
import { observe } from './observe.ts';
import { sessionContexts } from './store-sessions.ts';
import { type Removable, removable, removeTask } from './sweep.ts';

/** What is to be removed. */
export interface Retention {
  /** Tasks that ended at least so long ago; `null`: by age none; `'as asked'`: as each task's spawner had it. */
  readonly olderThanMs: number | null | 'as asked';
  /** Then the oldest ends, until all files of the sessions' tasks take no more; `null`: any number. */
  readonly maxBytes: number | null;
  readonly dryRun: boolean;
}

/** What was removed. */
export interface Removed {
  readonly taskIds: readonly string[];
  /** Bytes of output that were freed. */
  readonly bytes: number;
}

/** So many tasks are looked at between two turns of the event loop. */
const batch = 32;

/**
 * Removes tasks that ended and were acknowledged, by age and then, the oldest end first, by what all take
 * together. One that lives or is owed is never removed, so the files may take more than they should.
 */
export async function retain(contexts: readonly SessionContext[], retention: Retention): Promise<Removed> {
  const removed: string[] = [];
  let bytes = 0;
  const remove = (context: SessionContext, taskId: string): void => {
    const { stdout, stderr } = taskPaths(context.paths, taskId);
    bytes += size(stdout) + size(stderr);
    if (!retention.dryRun) removeTask(context, taskId);
    removed.push(taskId);
  };
  if (retention.olderThanMs !== null) {
    for await (const { context, task } of candidates(contexts))
      if (isOld(task, retention.olderThanMs)) remove(context, task.taskId);
  }
  const { maxBytes } = retention;
  if (maxBytes === null) return { taskIds: removed, bytes };
  let excess = (await totalBytes(contexts)) - maxBytes - (retention.dryRun ? bytes : 0);
  if (excess > 0) {
    const gone = new Set(removed);
    const rest: Candidate[] = [];
    for await (const found of candidates(contexts)) if (!gone.has(found.task.taskId)) rest.push(found);
    rest.sort((a, b) => a.task.endedAt - b.task.endedAt);
    for (const { context, task } of rest) {
      if (excess <= 0) break;
      excess -= bytesOf(context, task.taskId);
      remove(context, task.taskId);
    }
  }
  return { taskIds: removed, bytes };
}

/**
 * What a process does that opens a session to write. It removes what is too much. And once in ten minutes a store it
 * shortens outputs and removes what is old, as each task's own record has it, also in sessions that nobody opens any more.
 * @param isDue whether that is to be done, see retention-due.ts.
 */
export async function retainStore(store: StoreContext, isDue: boolean): Promise<void> {
  const contexts = sessionContexts(store);
  for (const context of isDue ? contexts : []) {
    for await (const taskId of unhurried(taskIds(context))) {
      const observed = observe(context, taskId);
      if (observed !== null && exceedsKeep(observed.facts)) await cutOutput(context, taskId);
    }
  }
  const olderThanMs = isDue ? 'as asked' : null;
  await retain(contexts, { olderThanMs, maxBytes: store.maxStoreBytes, dryRun: false });
}

interface Candidate {
  readonly context: SessionContext;
  readonly task: Removable;
}

async function* candidates(contexts: readonly SessionContext[]): AsyncGenerator<Candidate, void, undefined> {
  let looked = 0;
  for (const context of contexts) {
    for (const taskId of taskIds(context)) {
      looked += 1;
      if (looked % batch === 0) await yieldToOthers();
      const task = removable(context, taskId);
      if (task !== null) yield { context, task };
    }
  }
}

function isOld({ endedAt, spec }: Removable, olderThanMs: number | 'as asked'): boolean {
  const limit = olderThanMs === 'as asked' ? (spec?.retentionMs ?? null) : olderThanMs;
  return limit !== null && Date.now() - endedAt >= limit;
}

async function totalBytes(contexts: readonly SessionContext[]): Promise<number> {
  let total = 0;
  let looked = 0;
  for (const { paths } of contexts) {
    for (const folder of [paths.tasks, paths.output]) {
      for (const name of namesIn(folder)) {
        total += size(join(folder, name));
        looked += 1;
        if (looked % (4 * batch) === 0) await yieldToOthers();
      }
    }
  }
  return total;
}

function bytesOf(context: SessionContext, taskId: string): number {
  return Object.values(taskPaths(context.paths, taskId)).reduce((sum, path) => sum + size(path), 0);
}

function size(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
