import { z } from 'zod';
import { isFleetReference } from '../model/fleet-reference.ts';
import { isEnded } from '../model/words.ts';
import { screenThere } from './fleet/terminal-there.ts';
import { sayTerminal } from './terminal-answer.ts';
import { presentTask } from './text/present.ts';
import { ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool } from './tool.ts';

/** Shows the terminal of a task. */
export const screen = defineTool({
  name: 'screen',
  title: 'Look at a terminal',
  description: `Shows the whole screen of a task that "run" started with tty true, as a person would see it, with the place of the cursor. "send" answers with the screen by itself; use this to look again.`,
  input: z.strictObject({ task: z.string().min(1).describe('taskId or name') }),
  output: z.object({ task: taskSchema, ...ridingFields }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call(args, call) {
    if (isFleetReference(args.task)) return await screenThere(args.task, call);
    const { clientSession } = call;
    const { session } = clientSession;
    const task = session.task(session.find(args.task).taskId);
    const snapshot = task.snapshot();
    const text = await sayTerminal(clientSession, task, snapshot, true);
    const tells = isEnded(snapshot.status) ? [task.id] : [];
    return { text, structured: { task: presentTask(snapshot) }, tells };
  },
});
