import * as z from 'zod';
import { isFleetReference } from '../model/fleet-reference.ts';
import { isEnded } from '../model/words.ts';
import { killThere } from './fleet/kill-there.ts';
import { presentTask, sayTask } from './text/present.ts';
import { ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool } from './tool.ts';

/** Stops a task with all its processes. */
export const kill = defineTool({
  name: 'kill',
  isAlwaysLoaded: true,
  title: 'Stop a task',
  description: `Stops a task with everything it has started, also what it put in the background, and answers when all of it is gone: SIGTERM first, SIGKILL after grace_ms. Of a task that has ended it stops the leftovers. What survived is named under leftovers.`,
  input: z.strictObject({
    task: z.string().min(1).describe('taskId or name'),
    grace_ms: z
      .int()
      .min(0)
      .max(600_000)
      .optional()
      .describe('between the first signal and SIGKILL; by default what the task was started with, else 3000'),
    kill_signal: z
      .enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'])
      .optional()
      .describe('the first signal; default SIGTERM'),
  }),
  output: z.object({ task: taskSchema, ...ridingFields }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async call(args, call) {
    const { task, grace_ms: graceMs, kill_signal: killSignal } = args;
    const { clientSession } = call;
    if (isFleetReference(task)) return await killThere(args, call);
    const { taskId } = clientSession.session.find(task);
    const snapshot = await clientSession.session.task(taskId).kill({
      // Acknowledged when the client has the answer.
      ack: false,
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
