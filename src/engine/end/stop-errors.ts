import { OutliveError } from '../../errors/error.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import type { SessionContext } from '../session/context.ts';
import type { Observed } from '../session/observe.ts';

/** There is no record of the task to stop. */
export function notFound(context: SessionContext, taskId: string): OutliveError {
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected a task of session ${JSON.stringify(context.sessionId)}; found no record of ${taskId}. List the session's tasks to see which there are.`,
  );
}

/** The record of the task was destroyed while it runs, and its processes are not found without that. */
export function unread(context: SessionContext, taskId: string): OutliveError {
  const { log } = taskPaths(context.paths, taskId);
  return new OutliveError(
    'READ_FAILED',
    `expected the record of ${taskId} to name its processes; found it damaged (${log}), while its shim runs. Stop the processes by hand: those with OUTLIVE_TASK=${taskId} in their environment.`,
  );
}

/** The processes of the task are not this store's. */
export function elsewhere(taskId: string, observed: Observed): OutliveError {
  const host = observed.facts.spec?.by.host ?? 'unknown';
  if (observed.away === 'copied') {
    const pid = observed.facts.started?.pid;
    return new OutliveError(
      'TASK_ELSEWHERE',
      `expected a task of this store; found ${taskId} in a copy of its store; it runs in the original${pid === undefined ? '' : `, as process ${pid}`}. Stop it there. If the original store is gone, stop the process by hand.`,
      { details: { taskId, host } },
    );
  }
  return new OutliveError(
    'TASK_ELSEWHERE',
    `expected a task of this machine; ${taskId} runs on host ${JSON.stringify(host)} or in another container there. Stop it from where it runs, or open the store with elsewhere: 'lost' if no other machine uses it.`,
    { details: { taskId, host } },
  );
}
