import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './files.ts';
import { type SessionPaths, taskIdOfFile } from './paths.ts';

/** The name of the folder for logs that no day is set for. */
const never = 'never';

/** No later day has a name of ten characters. */
const lastDayMs = Date.parse('9999-12-31');

/** A log that was put away. */
export interface DoneLog {
  readonly taskId: string;
  /** The folder that it is in: see {@link dayOf}. */
  readonly day: string;
}

/**
 * The name of the folder that has the log of a done task: the day on which outlive removes it, in UTC.
 * @param expiresAt epoch milliseconds; `null`: no time is set.
 */
export function dayOf(expiresAt: number | null): string {
  if (expiresAt === null || !(expiresAt < lastDayMs)) return never;
  return new Date(Math.max(0, expiresAt)).toISOString().slice(0, 10);
}

/** Where the log of a task is when it was put away into the folder of that day. */
export function doneLog(session: SessionPaths, { day, taskId }: DoneLog): string {
  return join(session.done, day, `${taskId}.jsonl`);
}

/**
 * The folders of the logs that were put away, the earliest day first, and last the one without a day.
 * @throws OutliveError `READ_FAILED`.
 */
export function doneDays(session: SessionPaths): string[] {
  // "never" comes after all digits.
  return namesIn(session.done)
    .filter((name) => name === never || /^\d{4}-\d\d-\d\d$/.test(name))
    .sort();
}

/** The logs that were put away. */
export function* doneLogs(session: SessionPaths): Generator<DoneLog, void, undefined> {
  for (const day of doneDays(session))
    for (const name of namesIn(join(session.done, day))) {
      const taskId = taskIdOfFile(name);
      if (taskId !== null) yield { taskId, day };
    }
}

/** The ids of all tasks of a session that have a log. One that is put away just now may be twice among them. */
export function* idsIn(session: SessionPaths): Generator<string, void, undefined> {
  for (const name of namesIn(session.tasks)) {
    const taskId = taskIdOfFile(name);
    if (taskId !== null) yield taskId;
  }
  for (const { taskId } of doneLogs(session)) yield taskId;
}

/** The folder that the log of a task was put away into; null: none. */
export function dayWith(session: SessionPaths, taskId: string): string | null {
  const isThere = (day: string): boolean =>
    lstatSync(doneLog(session, { taskId, day }), { throwIfNoEntry: false }) !== undefined;
  return doneDays(session).find(isThere) ?? null;
}

/**
 * Where the log of a task is; null when it has none. Logs go one way, from the folder of tasks into that of those that
 * are done: who looks in this order misses none.
 */
export function logPathOf(session: SessionPaths, taskId: string): string | null {
  const path = join(session.tasks, `${taskId}.jsonl`);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  const day = dayWith(session, taskId);
  return day === null ? null : doneLog(session, { taskId, day });
}
