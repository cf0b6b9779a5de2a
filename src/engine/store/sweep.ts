import { mkdirSync } from 'node:fs';
import { systemCode } from '../../errors/error.ts';
import { tolerate } from '../../errors/expected.ts';
import type { SpecFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { livesHere } from '../../platform/identity.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { namesIn, removeEntry, renameWhole } from '../../tasklog/files.ts';
import { freeKey, keysOf } from '../../tasklog/keys.ts';
import { removedLog, type SessionPaths, taskIdOfRemoved, taskPaths } from '../../tasklog/paths.ts';
import { readLog } from '../../tasklog/read-log.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { hookRunnerLives, shimLives } from '../session/shim-control.ts';
import { overAt } from '../session/traces.ts';
import type { ListedTask } from './listing.ts';
import { unwritable } from './unwritable.ts';

/** Another process may put a log away, or remove a folder, while this one removes it, but hardly this often. */
const attempts = 4;

/** Why a task is not removed: `young` ended too short a time ago, `watched` has a durable watch that is open. */
export type KeptBecause = 'running' | 'unread' | 'watched' | 'leftovers' | 'young';

/** A task that may be removed: it has ended and its completion was acknowledged. */
export interface Removable {
  readonly taskId: string;
  /** When it ended, or else was seen last, in epoch milliseconds. */
  readonly overAt: number;
  readonly spec: SpecFact | undefined;
}

/**
 * The task, if it may be removed; one that lives, is pending or is being stopped never is, however old, and neither is
 * one with a watch that is open (matches of it may be pending), or with processes that its command has left.
 * @param unread as if its completion was acknowledged.
 */
export function removable(context: SessionContext, task: ListedTask, unread = false): Removable | null {
  const found = removableOr(context, task, unread);
  return typeof found === 'string' ? null : found;
}

/** The same, or why the task is kept. */
export function removableOr(
  context: SessionContext,
  { taskId, day }: ListedTask,
  unread: boolean,
): Removable | KeptBecause {
  const observed = observe(context, taskId, null, day);
  if (observed === null) return 'running';
  const { decision, facts } = observed;
  if (decision.state === 'live' || facts.openStop !== undefined) return 'running';
  const isRead = decision.state === 'ended' && decision.delivered;
  if (!isRead && !unread) return 'unread';
  if (hasOpenWatch(facts)) return 'watched';
  if (hasLiveProcesses(context, facts)) return 'leftovers';
  const outcome = decision.state === 'ended' ? decision.outcome : undefined;
  return {
    taskId,
    overAt: outcome === undefined ? observed.modifiedAt : overAt(context, taskId, facts, outcome),
    spec: facts.spec,
  };
}

/** Whether matches of a durable watch may be pending. */
function hasOpenWatch(facts: Facts): boolean {
  return facts.watches.some((watch) => !watch.closed);
}

/** Whether processes are alive that a command has left, or what the task runs at its end is still to end. */
function hasLiveProcesses(context: SessionContext, facts: Facts): boolean {
  const isHooked = facts.spec?.onExit === undefined || facts.hooked !== undefined;
  if (!isHooked && (hookRunnerLives(context, facts) || shimLives(context, facts))) return true;
  return hasLiveLeftovers(context, facts);
}

/**
 * Whether processes are alive that a command has left: by the shim, which stays for as long as there are any; where the
 * shim was killed, by those that the record names, the command of a lost task among them.
 */
function hasLiveLeftovers(context: SessionContext, facts: Facts): boolean {
  const { exit, gone, stopped, outcome } = facts;
  if (gone !== undefined) return false;
  if (exit !== undefined && exit.left !== 0 && shimLives(context, facts)) return true;
  const named = stopped?.survivors ?? outcome?.leftovers ?? [];
  return named.some(({ pid, start }) => livesHere(pid, start, context.store.system));
}

/**
 * Removes a task's files. First it renames the log. From then on no process sees the task, so a crash in between leaves
 * nothing that a reader could take for a task. {@link finishRemovals} then removes the rest. The log goes last, because
 * its name says what to remove.
 * @throws OutliveError `STORE_UNWRITABLE`.
 */
export function removeTask(context: SessionContext, taskId: string): void {
  try {
    nameRemoved(context.paths, taskId);
  } catch (error) {
    throw unwritable(context, error, `The task ${taskId} was not removed.`);
  }
  try {
    finishRemoval(context, taskId);
  } catch (error) {
    // From now on there is no such task; its files go when somebody finishes removals.
    tolerate(error, passing, 'removing the files of a task');
  }
  context.pending.delete(taskId);
  context.watched.delete(taskId);
}

function nameRemoved(paths: SessionPaths, taskId: string): void {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const path = logPathOf(paths, taskId);
    // Somebody else removes it as well.
    if (path === null) return;
    try {
      renameWhole(path, removedLog(paths, taskId));
      return;
    } catch (error) {
      // It was put away meanwhile; or the folder of those that are not was removed as an empty one.
      if (systemCode(error) !== 'ENOENT' || attempt === attempts) throw error;
      mkdirSync(paths.tasks, { recursive: true, mode: 0o700 });
    }
  }
}

/** Goes on with removals that were broken off by a crash. */
export function finishRemovals(context: SessionContext): void {
  for (const name of namesIn(context.paths.tasks)) {
    const taskId = taskIdOfRemoved(name);
    if (taskId === null) continue;
    try {
      finishRemoval(context, taskId);
    } catch (error) {
      // A store that is read-only: it stays until it can go.
      tolerate(error, passing, 'finishing the removal of a task');
    }
  }
}

function finishRemoval(context: SessionContext, taskId: string): void {
  const removed = readLog(removedLog(context.paths, taskId));
  const spec = removed?.facts.spec;
  if (spec !== undefined) for (const key of keysOf(spec)) freeKey(context.paths, key, spec.cookie);
  const { log, ...others } = taskPaths(context.paths, taskId);
  for (const path of [...Object.values(others), removedLog(context.paths, taskId)]) removeEntry(path);
  context.store.windows?.dropFiles(context, taskId);
}
