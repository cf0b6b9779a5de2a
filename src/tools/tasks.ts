import * as z from 'zod';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { listThere, noneThere } from './fleet/list-there.ts';
import { presentTask, sayTask } from './text/present.ts';
import { ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool } from './tool.ts';

const most = 50;

/** How many of the tasks that others left running are listed. */
const mostLeft = 10;

/** How many of the tasks that ended lately are listed, also if another client was told. */
const mostLately = 20;

/** Lists the session's tasks. */
export const tasks = defineTool({
  name: 'tasks',
  title: 'List tasks',
  description: `Lists the commands of this conversation that run, the newest first; with all: true also those that have ended. It also names what others left running in this folder. Use it to find a task again, for instance after a restart. Do not use it to see whether something has ended: you are told.`,
  input: z.strictObject({
    all: z.boolean().optional().describe('also tasks that have ended; default false'),
    limit: z.int().min(1).max(most).optional().describe('how many at most; default 20'),
  }),
  output: z.object({
    tasks: z.array(taskSchema),
    omitted: z.number().describe('how many more there are'),
    left: z
      .array(taskSchema)
      .describe('running in this folder, started by others, in sessions that nobody has open'),
    ...ridingFields,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call({ all = false, limit = 20 }, { clientSession, leftRunning, endedLately, remote }) {
    const found = (await clientSession.session.tasks())
      .filter((task) => all || !isEnded(task.status))
      .reverse();
    const shown = found.slice(0, limit);
    const omitted = found.length - shown.length;
    const lines = shown.map((task) => `- ${sayTask(task)}`);
    if (lines.length === 0) lines.push(all ? 'There are no tasks.' : 'No task is running.');
    if (omitted > 0) lines.push(`${omitted} more are not shown.`);
    const there = remote === null ? noneThere : await listThere(remote, { all, limit });
    lines.push(...there.lines);
    const left = await leftRunning();
    lines.push(...sayLeft(left));
    const lately = all ? [] : await endedLately(mostLately);
    if (lately.length > 0) lines.push('Ended lately:', ...lately);
    const structured = {
      tasks: [...shown.map(presentTask), ...there.tasks],
      omitted: omitted + there.omitted,
      left: left.slice(0, mostLeft).map(presentTask),
    };
    return { text: lines.join('\n'), structured, tells: [] };
  },
});

/** What others have left running in this folder, and how to take it over. */
function sayLeft(left: readonly TaskSnapshot[]): string[] {
  if (left.length === 0) return [];
  const shown = left.slice(0, mostLeft).map((task) => `- ${sayTask(task)}`);
  const more = left.length > mostLeft ? [`${left.length - mostLeft} more are not shown.`] : [];
  return [
    'Running in this folder, started by others, in sessions that nobody has open:',
    ...shown,
    ...more,
    'To take one over, give its whole id to "wait", "output" or "kill". Stop none that the user may need.',
  ];
}
