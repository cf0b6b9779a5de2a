import { z } from 'zod';
import { isEnded } from '../../model/words.ts';
import { presentTask, sayTask } from '../present.ts';
import { ridingFields, taskSchema } from '../schemas.ts';
import { defineTool } from './tool.ts';

const most = 50;

/** Lists the session's tasks. */
export const tasks = defineTool({
  name: 'tasks',
  title: 'List tasks',
  description: `Lists the commands of this conversation that run, the newest first; with all: true also those that have ended. Use it to find a task again, for instance after a restart. Not to see whether something has ended: you are told.`,
  input: z.object({
    all: z.boolean().optional().describe('also tasks that have ended; default false'),
    limit: z.int().min(1).max(most).optional().describe('at most so many; default 20'),
  }),
  output: z.object({
    tasks: z.array(taskSchema),
    omitted: z.number().describe('so many more there are'),
    ...ridingFields,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call({ all = false, limit = 20 }, { desk }) {
    const found = (await desk.session.tasks()).filter((task) => all || !isEnded(task.status)).reverse();
    const shown = found.slice(0, limit);
    const omitted = found.length - shown.length;
    const lines = shown.map((task) => `- ${sayTask(task)}`);
    if (lines.length === 0) lines.push(all ? 'There are no tasks.' : 'No task is running.');
    if (omitted > 0) lines.push(`${omitted} more are not shown.`);
    return { text: lines.join('\n'), structured: { tasks: shown.map(presentTask), omitted }, tells: [] };
  },
});
