import { z } from 'zod';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { presentOutput, presentTask, sayDuration, sayOutput, sayTask } from '../present.ts';
import { outputSchema, ridingFields, taskSchema } from '../schemas.ts';
import { answerBytes } from './run.ts';
import { defineTool, type ToolAnswer, type ToolCall } from './tool.ts';

/** Below the minute after which clients give up a request by default. */
const defaultTimeoutMs = 50_000;

/** Blocks until something has happened that is worth a look. */
export const wait = defineTool({
  name: 'wait',
  title: 'Wait for a task',
  description: `Waits until a task ends and answers at that moment with its exit code and the end of its output; without task: until the next one of this conversation ends. Call it when you have nothing else to do; one call replaces any number of looks. It gives up after timeout_ms (50 s) and says so; the task goes on, and you can wait again.`,
  input: z.object({
    task: z.string().min(1).optional().describe('taskId or name; without it: whichever ends next'),
    timeout_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .optional()
      .describe(`how long to wait at most; default ${defaultTimeoutMs}. The task is not stopped`),
  }),
  output: z.object({
    task: taskSchema.optional().describe('missing when there was nothing to wait for'),
    output: outputSchema.optional(),
    ended: z.boolean().describe('whether the task has ended; false: the time was up'),
    ...ridingFields,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call({ task, timeout_ms: timeoutMs = defaultTimeoutMs }, call) {
    const { desk, abortSignal } = call;
    if (task === undefined) return await next(call, timeoutMs);
    const { taskId } = await desk.find(task);
    const snapshot = await desk.session.task(taskId).wait({ timeoutMs, ack: false, abortSignal });
    return await answer(call, snapshot, timeoutMs);
  },
});

/** Waits for whichever task ends next; one that has ended and was not told of comes first. */
async function next(call: ToolCall, timeoutMs: number): Promise<ToolAnswer> {
  const { desk } = call;
  const [told] = desk.owed((taskId) => call.untold(taskId), 1).found;
  if (told !== undefined) return await answer(call, told, timeoutMs);
  const live = (await desk.session.tasks()).filter((task) => !isEnded(task.status));
  if (live.length === 0) {
    const text = 'No task is running, so there is nothing to wait for.';
    return { text, structured: { ended: false }, tells: [] };
  }
  const stop = new AbortController();
  const abortSignal = AbortSignal.any([call.abortSignal, stop.signal]);
  const waits = live.map(async ({ taskId }) =>
    desk.session.task(taskId).wait({ timeoutMs, ack: false, abortSignal }),
  );
  try {
    return await answer(call, await Promise.race(waits), timeoutMs);
  } finally {
    stop.abort();
    await Promise.allSettled(waits);
  }
}

async function answer({ desk }: ToolCall, snapshot: TaskSnapshot, timeoutMs: number): Promise<ToolAnswer> {
  const { taskId } = snapshot;
  const output = presentOutput(snapshot, await desk.session.task(taskId).tail({ maxBytes: answerBytes }));
  const ended = isEnded(snapshot.status);
  const advice = ended
    ? ''
    : `\nIt still runs after ${sayDuration(timeoutMs)} of waiting. You will be told when it ends.`;
  return {
    text: `${sayTask(snapshot)}${advice}\n${sayOutput(output)}`,
    structured: { task: presentTask(snapshot), output, ended },
    tells: ended ? [taskId] : [],
  };
}
