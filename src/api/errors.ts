import { OutliveError } from '../errors/error.ts';

/** No record of a task, or one of another session. */
export function taskNotFound(sessionId: string, taskId: string): OutliveError {
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected a task of session ${JSON.stringify(sessionId)}; found no record of ${JSON.stringify(taskId)}. List the session's tasks to see which there are.`,
    { details: { taskId } },
  );
}

/** The store or session was closed. */
export function closed(what: string): OutliveError {
  return new OutliveError(
    'CLOSED',
    `expected an open ${what}; found that it was closed. Open it again to go on.`,
  );
}
