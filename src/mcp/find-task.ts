import type { Session } from '../api/session.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { taskIdPattern } from '../tasklog/paths.ts';

/**
 * The task that somebody means: by its id, by its name (of several the one that runs), or by the beginning of
 * its id.
 * @throws OutliveError `TASK_NOT_FOUND`, `INVALID_ARGUMENT` when it could be several.
 */
export async function findTask(session: Session, reference: string): Promise<TaskSnapshot> {
  if (taskIdPattern.test(reference)) return session.task(reference).snapshot();
  const tasks = await session.tasks();
  const named = tasks.filter((task) => task.name === reference);
  const live = named.filter((task) => !isEnded(task.status));
  const last = named.at(-1);
  if (live.length <= 1 && last !== undefined) return live[0] ?? last;
  const begun = reference.length >= 'bgb-x'.length ? startingWith(tasks, reference) : [];
  const candidates = live.length > 1 ? live : begun;
  const [only] = candidates;
  if (candidates.length === 1 && only !== undefined) return only;
  if (candidates.length === 0) throw notFound(session.id, reference);
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the id of one task; found ${JSON.stringify(reference)}, which could be any of ${candidates.map((task) => task.taskId).join(', ')}. Use the id.`,
  );
}

function startingWith(tasks: readonly TaskSnapshot[], prefix: string): TaskSnapshot[] {
  return tasks.filter((task) => task.taskId.startsWith(prefix));
}

function notFound(sessionId: string, reference: string): OutliveError {
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected the id or the name of a task of session ${JSON.stringify(sessionId)}; found no task ${JSON.stringify(reference)}. Call the tool "tasks" with all: true to see which there are.`,
    { details: { taskId: reference } },
  );
}
