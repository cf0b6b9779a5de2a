import { existsSync, lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../errors/error.ts';
import { tolerate } from '../../errors/expected.ts';
import type { Fact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { dayOf, doneLog } from '../../tasklog/done.ts';
import { renameWhole } from '../../tasklog/files.ts';
import { outputFile, outputState, type Stream } from '../../tasklog/output.ts';
import { logPath } from '../../tasklog/paths.ts';
import { guarded, passing, report } from './background.ts';
import type { SessionContext } from './context.ts';
import { readWritten } from './read-record.ts';
import { overAt } from './traces.ts';

/** How many logs it puts away between two turns of the event loop. */
const batch = 16;

/** Another process may remove the folder while it is empty and not yet used, but hardly this often. */
const attempts = 4;

/** After one of these, by a process other than its shim, a task may be done. */
const closing: ReadonlySet<Fact['fact']> = new Set(['delivered', 'unwatch', 'stopped']);

/** Puts the log of a task away in a later turn of the event loop, if one of these facts may have been its last. */
export function putAwayAfter(context: SessionContext, taskId: string, facts: readonly Fact[]): void {
  if (facts.some(({ fact }) => closing.has(fact))) putAwaySoon(context, taskId);
}

/** Puts the log of a task away in a later turn of the event loop, if the task is done. */
export function putAwaySoon(context: SessionContext, taskId: string): void {
  if (context.closing.size === 0) laterPutAway(context);
  context.closing.add(taskId);
}

/** Puts away at once what was to be put away later: the session is closed. */
export function putAllAway(context: SessionContext): void {
  while (context.closing.size > 0) putSomeAway(context);
}

function laterPutAway(context: SessionContext): void {
  setImmediate(guarded(context, 'archiving logs', () => putSomeAway(context)));
}

function putSomeAway(context: SessionContext): void {
  const some = [...context.closing].slice(0, batch);
  for (const taskId of some) context.closing.delete(taskId);
  if (context.closing.size > 0) laterPutAway(context);
  for (const taskId of some) {
    try {
      putAway(context, taskId);
    } catch (error) {
      // It cannot be read or moved now. The process that next opens the session, or removes old tasks of the store,
      // does it.
      report(context, 'archiving a log', error, { taskId });
    }
  }
}

/**
 * Moves the log of a task that is done out of the folder of those to which something may happen. That is only a matter
 * of speed: to be done is for ever, so this may be done by anybody, at any time, twice or not at all, and what is found
 * is the same.
 * @throws OutliveError `READ_FAILED`; a system error.
 */
function putAway(context: SessionContext, taskId: string): void {
  if (context.store.isReadOnly) return;
  const facts = factsOnDisk(context, taskId);
  if (facts?.outcome === undefined || !facts.isDone) return;
  if (hasGroup(facts) || isToBeShortened(context, taskId, facts)) return;
  const retentionMs = facts.spec?.retentionMs ?? null;
  const expiresAt = retentionMs === null ? null : overAt(context, taskId, facts, facts.outcome) + retentionMs;
  const to = doneLog(context.paths, { taskId, day: dayOf(expiresAt) });
  // No process uses an existing id again: see task-files.ts.
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return;
  context.recent.add(taskId);
  move(logPath(context.paths, taskId), to);
}

/** Facts in memory do not count. The middle of a log that was read in part is not known. */
function factsOnDisk(context: SessionContext, taskId: string): Facts | null {
  const record = readWritten(context, taskId);
  return record === null || record.isPutAway || record.isPartial ? null : record.facts;
}

/** A process that opens a session removes the cgroups of the tasks whose logs are not put away. */
function hasGroup({ spec }: Facts): boolean {
  return spec?.cgroup !== undefined && existsSync(spec.cgroup);
}

/** Outlive shortens only outputs whose logs are not put away. */
function isToBeShortened({ paths }: SessionContext, taskId: string, facts: Facts): boolean {
  const keep = facts.spec?.keepOutputBytes ?? null;
  if (keep === null || facts.outcome === undefined) return false;
  const { bytes, stderrBytes } = facts.outcome;
  const isWhole = (stream: Stream): boolean => {
    const file = outputFile(paths, taskId, stream, facts);
    const size = lstatSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
    return size > keep && outputState(file).size === size;
  };
  return (bytes > keep && isWhole('stdout')) || (stderrBytes > keep && isWhole('stderr'));
}

function move(from: string, to: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameWhole(from, to);
      return;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || attempt === attempts) throw error;
      // Somebody was faster, or has removed the task.
      if (lstatSync(from, { throwIfNoEntry: false }) === undefined) {
        if (attempt > 1) removeIfUnused(dirname(to));
        return;
      }
      // The first one of its day. Another process may be about to remove the empty folder.
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    }
  }
}

/** The folder of a day that was made for nothing: a session with a folder in it is not removed. */
function removeIfUnused(day: string): void {
  for (const folder of [day, dirname(day)]) {
    try {
      rmdirSync(folder);
    } catch (error) {
      // Another log is in it, or somebody else has removed it.
      tolerate(error, passing, 'removing an empty folder');
      return;
    }
  }
}
