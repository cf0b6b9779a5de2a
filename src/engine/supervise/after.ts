import { OutliveError, taskNotFound } from '../../errors/error.ts';
import type { Dependency } from '../../shim/request.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { logPath, taskIdPattern } from '../../tasklog/paths.ts';
import { enforce } from '../end/enforce.ts';
import { endOf } from '../queue/queue.ts';
import { report } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';

/**
 * Finds the task that a new one is to start after. It is there before the new one, so there are no circles.
 * @throws OutliveError `TASK_NOT_FOUND`, also when another session has it; `TASK_ELSEWHERE`.
 */
export function dependencyOf(context: SessionContext, taskId: string | null): Dependency | null {
  if (taskId === null) return null;
  const observed = taskIdPattern.test(taskId) ? observe(context, taskId) : null;
  if (observed === null) throw taskNotFound(context.sessionId, taskId);
  if (observed.alive === 'unknown') {
    throw new OutliveError(
      'TASK_ELSEWHERE',
      `expected "after" to name a task of this machine; ${taskId} runs on another one or in another container, and this machine does not see its end. Spawn the new task there.`,
      { details: { taskId } },
    );
  }
  const { seal = '' } = observed.facts.spec ?? {};
  // The shim finds it where it is put away, too.
  const log = logPathOf(context.paths, taskId) ?? logPath(context.paths, taskId);
  return { task: taskId, log, seal };
}

/** Where shims have no locks: ends the tasks that wait for one that has not completed and never will. */
export function endDependents(context: SessionContext): void {
  for (const [taskId, { after, needsTurn }] of context.queued) {
    if (after === null || !needsTurn) continue;
    try {
      if (endOf(context, after) === 'otherwise') enforce(context, taskId, 'dependency_failed');
    } catch (error) {
      // Its log could not be read just now; the next poll tries again.
      report(context, 'reading how another task ended', error, { taskId });
    }
  }
}
