import { z } from 'zod';
import type { Task } from '../api/task.ts';
import { isFleetReference } from '../model/fleet-reference.ts';
import { keyNames } from '../model/keys.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { sendThere } from './fleet/send-there.ts';
import { sayTerminal } from './terminal-answer.ts';
import { quoted } from './text/data.ts';
import { presentTask, sayTask } from './text/present.ts';
import { ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool } from './tool.ts';
import { type Quiet, untilQuiet } from './until-quiet.ts';

const defaultWaitMs = 3_000;

const quiet: Quiet = { quietMs: 250, firstMs: 400, checkMs: 40 };

/** Types into a task, and answers with what it writes then. */
export const send = defineTool({
  name: 'send',
  title: 'Type into a task',
  description: `Types into a task that "run" started with stdin "open" or tty true: text, then keys, then the end of the input. Answers when it has been quiet for a moment, at most wait_ms later: with the screen of a terminal (only what changed, when that is shorter), else with its new output. To submit a line in a terminal, add the key "enter".`,
  input: z.strictObject({
    task: z.string().min(1).describe('taskId or name'),
    text: z.string().optional().describe('what to type; without Enter at its end'),
    keys: z
      .array(z.string())
      .max(100)
      .optional()
      .describe(`keys to press after the text, in a terminal: ${keyNames.join(', ')} (X: a character)`),
    eof: z.boolean().optional().describe('then end the input'),
    paste: z.boolean().optional().describe('the text is pasted, for several lines into an editor or a REPL'),
    wait_ms: z
      .int()
      .min(0)
      .max(60_000)
      .optional()
      .describe(`how long to wait at most; default ${defaultWaitMs}`),
  }),
  output: z.object({ task: taskSchema, ...ridingFields }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  async call(args, call) {
    const { clientSession, abortSignal } = call;
    const { text = '', keys = [], eof = false, paste = false, wait_ms: waitMs = defaultWaitMs } = args;
    if (isFleetReference(args.task)) return await sendThere(args, waitMs, call);
    const { session } = clientSession;
    const task = session.task(session.find(args.task).taskId);
    const before = task.snapshot().output.bytes;
    await task.send(text, { press: keys, eof, paste });
    const { snapshot } = await untilQuiet(() => check(task, abortSignal), before, waitMs, quiet);
    const said =
      snapshot.tty === null
        ? `${sayTask(snapshot)}\n${await sayNewOutput(task, before)}`
        : await sayTerminal(clientSession, task, snapshot);
    const ended = isEnded(snapshot.status);
    return { text: said, structured: { task: presentTask(snapshot) }, tells: ended ? [task.id] : [] };
  },
});

interface Check {
  readonly bytes: number;
  readonly isOver: boolean;
  readonly snapshot: TaskSnapshot;
}

function check(task: Task, { aborted }: AbortSignal): Check {
  const snapshot = task.snapshot();
  return { bytes: snapshot.output.bytes, isOver: isEnded(snapshot.status) || aborted, snapshot };
}

/** Bytes of output that come with an answer. */
const mostBytes = 4_096;

async function sayNewOutput(task: Task, from: number): Promise<string> {
  const { size } = await task.tail({ maxBytes: 1 });
  const { text } = await task.read({ offset: Math.max(from, size - mostBytes), maxBytes: mostBytes });
  const left = size - from > mostBytes ? `[${size - from - mostBytes} bytes before this left out]\n` : '';
  if (text === '') return '[no new output]';
  return `${left}${quoted(text)}`;
}
