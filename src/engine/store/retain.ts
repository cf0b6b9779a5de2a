import { statSync } from 'node:fs';
import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import { doneDays, logPathOf } from '../../tasklog/done.ts';
import { namesIn } from '../../tasklog/files.ts';
import { type SessionPaths, taskPaths } from '../../tasklog/paths.ts';
import { yieldToOthers } from '../../util/wait.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { allTasks } from './listing.ts';
import { type KeptBecause, type Removable, removableOr, removeTask } from './sweep.ts';

/** What to remove. */
export interface Retention {
  /** Tasks that ended at least this long ago; `null`: by age none. */
  readonly olderThanMs: number | null;
  /** Then the oldest ends, until all files of the sessions' tasks take no more; `null`: any number. */
  readonly maxBytes: number | null;
  readonly dryRun: boolean;
  /** Only these; absent: all. */
  readonly taskIds?: ReadonlySet<string>;
  /** Those that nobody has acknowledged as well. */
  readonly unread?: boolean;
  /** Is told which task is kept, and why. */
  readonly onKept?: (taskId: string, because: KeptBecause) => void;
}

/** What was removed. */
export interface Removed {
  readonly taskIds: readonly string[];
  /** Bytes of output that were freed. */
  readonly bytes: number;
}

/** How many tasks it checks between two turns of the event loop. */
const batch = 32;

/**
 * Removes tasks that ended and were acknowledged, by age and then, the oldest end first, by what all take
 * together. One that lives or is pending is never removed, so the files may take more than they should.
 */
export async function retain(contexts: Iterable<SessionContext>, retention: Retention): Promise<Removed> {
  const removed: string[] = [];
  let bytes = 0;
  const remove = (context: SessionContext, taskId: string): void => {
    const { stdout, stderr } = taskPaths(context.paths, taskId);
    bytes += size(stdout) + size(stderr);
    if (!retention.dryRun) removeTask(context, taskId);
    removed.push(taskId);
  };
  if (retention.olderThanMs !== null) {
    for await (const { context, task } of candidates(contexts, retention)) {
      if (Date.now() - task.overAt >= retention.olderThanMs) remove(context, task.taskId);
      else retention.onKept?.(task.taskId, 'young');
    }
  }
  const { maxBytes } = retention;
  if (maxBytes === null) return { taskIds: removed, bytes };
  const excess = (await totalBytes(contexts)) - maxBytes - (retention.dryRun ? bytes : 0);
  if (excess > 0) {
    const surplus = await oldestOf(contexts, excess, new Set(removed));
    const folders = new Set(surplus.map(({ paths }) => paths.dir));
    const found = new Map<string, SessionContext>();
    for (const context of contexts) if (folders.has(context.paths.dir)) found.set(context.paths.dir, context);
    for (const { paths, taskId } of surplus) {
      const context = found.get(paths.dir);
      if (context !== undefined) remove(context, taskId);
    }
  }
  return { taskIds: removed, bytes };
}

interface Ended {
  readonly paths: SessionPaths;
  readonly taskId: string;
  readonly overAt: number;
}

/** The tasks that ended first, until they take that many bytes together, the oldest end first. */
async function oldestOf(
  contexts: Iterable<SessionContext>,
  bytes: number,
  gone: ReadonlySet<string>,
): Promise<Ended[]> {
  const found: Ended[] = [];
  for await (const { context, task } of candidates(contexts)) {
    const { taskId, overAt } = task;
    if (!gone.has(taskId)) found.push({ paths: context.paths, taskId, overAt });
  }
  found.sort((a, b) => a.overAt - b.overAt);
  let count = 0;
  for (let left = bytes; left > 0 && count < found.length; count += 1) {
    const { paths, taskId } = found[count] as Ended;
    left -= bytesOf(paths, taskId);
  }
  return found.slice(0, count);
}

interface Candidate {
  readonly context: SessionContext;
  readonly task: Removable;
}

type Choice = Pick<Retention, 'taskIds' | 'unread' | 'onKept'>;

async function* candidates(
  contexts: Iterable<SessionContext>,
  { taskIds, unread = false, onKept }: Choice = {},
): AsyncGenerator<Candidate, void, undefined> {
  let looked = 0;
  for (const context of contexts) {
    for (const listed of allTasks(context)) {
      looked += 1;
      if (looked % batch === 0) await yieldToOthers();
      if (taskIds?.has(listed.taskId) === false) continue;
      const task = removableOr(context, listed, unread);
      if (typeof task === 'string') onKept?.(listed.taskId, task);
      else yield { context, task };
    }
  }
}

async function totalBytes(contexts: Iterable<SessionContext>): Promise<number> {
  let total = 0;
  let looked = 0;
  for (const { paths } of contexts) {
    const days = doneDays(paths).map((day) => join(paths.done, day));
    for (const folder of [paths.tasks, paths.output, ...days]) {
      for (const name of namesIn(folder)) {
        total += size(join(folder, name));
        looked += 1;
        if (looked % (4 * batch) === 0) await yieldToOthers();
      }
    }
  }
  return total;
}

function bytesOf(paths: SessionPaths, taskId: string): number {
  const { log, ...others } = taskPaths(paths, taskId);
  const all = [logPathOf(paths, taskId) ?? log, ...Object.values(others)];
  return all.reduce((sum, path) => sum + size(path), 0);
}

/** What a file takes; 0 when it is not there. */
export function size(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch (error) {
    // What cannot be seen counts for nothing, until it can.
    tolerate(error, passing, 'checking the size of a file');
    return 0;
  }
}
