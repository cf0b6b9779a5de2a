import { unlinkSync } from 'node:fs';
import { decide } from '../model/decide.ts';
import type { Facts } from '../model/fold.ts';
import { taskPaths } from '../tasklog/paths.ts';
import { systemCode } from '../util/system-error.ts';
import type { SessionContext } from './context.ts';
import { observe } from './observe.ts';

/**
 * Whether a task may be removed: it has ended that long ago and its completion was acknowledged. One that is
 * owed is never removed, however old, and neither is one with a watch that is open: matches of it may be owed.
 * `null` keeps everything.
 */
export function isRemovable(context: SessionContext, taskId: string, olderThanMs: number | null): boolean {
  if (olderThanMs === null) return false;
  const observed = observe(context, taskId);
  if (observed === null) return false;
  const decision = decide(observed.facts, observed.alive);
  if (decision.state !== 'ended' || !decision.delivered || observed.facts.openStop !== undefined)
    return false;
  if (hasOpenWatch(observed.facts)) return false;
  return Date.now() - decision.outcome.endedAt >= olderThanMs;
}

/** Whether matches of a durable watch may be owed. */
export function hasOpenWatch(facts: Facts): boolean {
  return facts.watches.some((watch) => !watch.closed);
}

/**
 * Removes a task's files, the log last: a crash in between leaves a record without output, which reads as
 * such, and the next sweep removes it; never output that no record knows of.
 */
export function removeTask(context: SessionContext, taskId: string): void {
  const { log, ...others } = taskPaths(context.paths, taskId);
  for (const path of [...Object.values(others), log]) remove(path);
  context.owed.delete(taskId);
  context.watched.delete(taskId);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
