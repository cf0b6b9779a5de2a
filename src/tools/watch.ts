import * as z from 'zod';
import type { Task } from '../api/task.ts';
import type { AddWatchOptions } from '../engine/watches/watch-task.ts';
import { OutliveError } from '../errors/error.ts';
import { presentTask, sayTask } from './text/present.ts';
import { ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool } from './tool.ts';

/** Watches a task for lines. */
export const watch = defineTool({
  name: 'watch',
  title: 'Watch for lines',
  description: `Tells you of each line of a task's output in which a pattern matches: an error in a server's log, say. You go on with other work; the lines come with the next answers of any of these tools, each once, and they end a "wait". To wait for one line, use "wait" with a pattern instead.`,
  input: z.strictObject({
    task: z.string().min(1).describe('taskId or name'),
    pattern: z.string().min(1).describe('a regular expression'),
    from: z
      .int()
      .min(0)
      .optional()
      .describe('byte of the output at which it begins; default 0: also what is there already'),
    stop: z.boolean().optional().describe('end the watch for this pattern instead'),
  }),
  output: z.object({ task: taskSchema, watching: z.boolean(), ...ridingFields }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call({ task: reference, pattern, from, stop = false }, call) {
    const { session } = call.clientSession;
    const task = session.task(session.find(reference).taskId);
    // There is one watch per pattern: the same call again changes nothing.
    const ids = call.watchIds(task.id, pattern);
    const [id] = ids;
    const were = stop ? await Promise.all(ids.map((one) => task.removeWatch(one))) : [];
    if (!stop) await begin(task, pattern, { id, ...(from !== undefined && { from }) });
    const snapshot = task.snapshot();
    const said = !stop
      ? 'You will be told of each line that matches. Do not poll.'
      : were.includes(true)
        ? 'It is not watched for this pattern any more.'
        : 'It was not watched for this pattern.';
    const structured = { task: presentTask(snapshot), watching: !stop };
    return { text: `${sayTask(snapshot)}\n${said}`, structured, tells: [] };
  },
});

async function begin(task: Task, pattern: string, options: AddWatchOptions): Promise<void> {
  try {
    await task.addWatch({ regexp: pattern }, options);
  } catch (error) {
    if (!(error instanceof OutliveError) || error.code !== 'TASK_ENDED') throw error;
    throw new OutliveError(
      'TASK_ENDED',
      `expected a task that may write yet; found that ${task.id} has ended. Search its output with the tool "output" and a pattern.`,
      { details: error.details, cause: error },
    );
  }
}
