import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';

/** A session, above its tasks. */
export interface SessionRow {
  readonly kind: 'session';
  readonly sessionId: string;
  readonly tasks: readonly TaskSnapshot[];
}

/** What stands on one row of the list. */
export type Row = SessionRow | { readonly kind: 'task'; readonly task: TaskSnapshot };

/** What tells a row from the others, whatever becomes of its task. */
export function keyOf(row: Row): string {
  return row.kind === 'session' ? `session ${row.sessionId}` : row.task.taskId;
}

/** The tasks that a row stands for. */
export function tasksOf(row: Row): readonly TaskSnapshot[] {
  return row.kind === 'session' ? row.tasks : [row.task];
}

/**
 * The rows of some tasks: those that run first, then those that ended, of both the newest first. A session is where the
 * first of its tasks is.
 * @param isOpen whether the tasks of a session are shown below it; `null`: there are no rows of sessions.
 */
export function rowsOf(
  tasks: readonly TaskSnapshot[],
  isOpen: ((sessionId: string) => boolean) | null,
): Row[] {
  const sorted = tasks.toSorted(runningFirst);
  if (isOpen === null) return sorted.map(rowOfTask);
  const sessions = new Map<string, TaskSnapshot[]>();
  for (const task of sorted) {
    const own = sessions.get(task.sessionId);
    if (own === undefined) sessions.set(task.sessionId, [task]);
    else own.push(task);
  }
  return [...sessions].flatMap(([sessionId, own]) => [
    { kind: 'session' as const, sessionId, tasks: own },
    ...(isOpen(sessionId) ? own.map(rowOfTask) : []),
  ]);
}

function rowOfTask(task: TaskSnapshot): Row {
  return { kind: 'task', task };
}

function runningFirst(a: TaskSnapshot, b: TaskSnapshot): number {
  return Number(isEnded(a.status)) - Number(isEnded(b.status)) || b.createdAt - a.createdAt;
}
