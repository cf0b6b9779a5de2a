import { z } from 'zod';
import { isEnded } from '../../model/words.ts';
import { presentTask, sayTask } from '../present.ts';
import { ridingFields, taskSchema } from '../schemas.ts';
import { defineTool } from './tool.ts';

/** Stops a task whole. */
export const kill = defineTool({
  name: 'kill',
  title: 'Stop a task',
  description: `Stops a task with everything it has started, also what it put in the background, and answers when all of it is gone: SIGTERM first, SIGKILL after grace_ms. Of a task that has ended it stops the leftovers. What survived is named under leftovers.`,
  input: z.object({
    task: z.string().min(1).describe('taskId or name'),
    grace_ms: z
      .int()
      .min(0)
      .max(600_000)
      .optional()
      .describe('between the first signal and SIGKILL; default 3000'),
    kill_signal: z
      .enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'])
      .optional()
      .describe('the first signal; default SIGTERM'),
  }),
  output: z.object({ task: taskSchema, ...ridingFields }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async call({ task, grace_ms: graceMs, kill_signal: killSignal }, { desk }) {
    const { taskId } = await desk.find(task);
    const snapshot = await desk.session.task(taskId).kill({
      ...(graceMs !== undefined && { graceMs }),
      ...(killSignal !== undefined && { killSignal }),
    });
    const ended = isEnded(snapshot.status);
    return {
      text: sayTask(snapshot),
      structured: { task: presentTask(snapshot) },
      tells: ended ? [taskId] : [],
    };
  },
});
