import { systemCode } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import type { SpecFact } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import { namesIn, removeEntry, renameWhole } from '../tasklog/files.ts';
import { removedLog, taskIdOfRemoved, taskPaths } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';
import { observe } from './observe.ts';
import { shimLives } from './shim-control.ts';
import { unwritable } from './spawn-errors.ts';

/** A task that may be removed: it has ended and its completion was acknowledged. */
export interface Removable {
  readonly taskId: string;
  readonly endedAt: number;
  readonly spec: SpecFact | undefined;
}

/**
 * The task, if it may be removed; one that lives, is owed or is being stopped never is, however old, and neither is
 * one with a watch that is open (matches of it may be owed), or with processes that its command has left.
 */
export function removable(context: SessionContext, taskId: string): Removable | null {
  const observed = observe(context, taskId);
  if (observed === null) return null;
  const decision = decide(observed.facts, observed.alive);
  if (decision.state !== 'ended' || !decision.delivered || observed.facts.openStop !== undefined) return null;
  if (hasOpenWatch(observed.facts) || hasLiveLeftovers(context, observed.facts)) return null;
  return { taskId, endedAt: decision.outcome.endedAt, spec: observed.facts.spec };
}

/** Whether matches of a durable watch may be owed. */
export function hasOpenWatch(facts: Facts): boolean {
  return facts.watches.some((watch) => !watch.closed);
}

/** Whether processes are alive that a command has left: by the shim, which stays for as long as there are any. */
export function hasLiveLeftovers(context: SessionContext, facts: Facts): boolean {
  const { exit, gone } = facts;
  return exit !== undefined && exit.left !== 0 && gone === undefined && shimLives(context, facts);
}

/**
 * Removes a task's files. First its log gets another name: from then on there is no such task, for anybody, so
 * a crash in between leaves nothing that a reader could take for a task. What is left then is removed by
 * {@link finishRemovals}, the log last, because its name says what is to be removed.
 * @throws OutliveError `STORE_UNWRITABLE`.
 */
export function removeTask(context: SessionContext, taskId: string): void {
  try {
    renameWhole(taskPaths(context.paths, taskId).log, removedLog(context.paths, taskId));
  } catch (error) {
    // Somebody else removes it as well.
    if (systemCode(error) !== 'ENOENT') throw unwritable(context, error);
  }
  try {
    finishRemoval(context, taskId);
  } catch {
    // From now on there is no such task; its files go when somebody finishes removals.
  }
  context.owed.delete(taskId);
  context.watched.delete(taskId);
}

/** Goes on with removals that were broken off by a crash. */
export function finishRemovals(context: SessionContext): void {
  for (const name of namesIn(context.paths.tasks)) {
    const taskId = taskIdOfRemoved(name);
    if (taskId === null) continue;
    try {
      finishRemoval(context, taskId);
    } catch {
      // A store that is read-only: it stays until it can go.
    }
  }
}

function finishRemoval(context: SessionContext, taskId: string): void {
  const { stdout, stderr, command } = taskPaths(context.paths, taskId);
  for (const path of [stdout, stderr, command, removedLog(context.paths, taskId)]) removeEntry(path);
  context.store.windows?.dropFiles(context, taskId);
}
