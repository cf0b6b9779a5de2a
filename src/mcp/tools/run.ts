import { z } from 'zod';
import { bounds, defaults } from '../../model/limits.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { Desk } from '../desk.ts';
import { presentOutput, presentTask, sayOutput, sayTask } from '../present.ts';
import { outputSchema, ridingFields, taskSchema } from '../schemas.ts';
import { defineTool, type ToolAnswer } from './tool.ts';

/** Bytes of output that come with an answer. */
export const answerBytes = 4_096;

/** So long a call waits for the end, unless told otherwise. */
const waitMs = 10_000;

/** Starts a command, waits for it a while, and lets it go on in the background. */
export const run = defineTool({
  name: 'run',
  title: 'Run a command',
  description: `Runs a shell command. Use it for whatever may take longer than a moment: builds, tests, installs, servers.
It waits up to wait_ms (10 s) for the end and then answers with the exit code and the end of the output. If the command is still going, it goes on in the background by itself and you get its taskId.
You will be told when it ends, with the next answer of any of these tools. So go on with other work, or call "wait" when you have nothing else to do. Do not poll, do not sleep, do not start it again, and do not append "&" or use nohup: the command survives you and this server as it is.
timeout_ms stops the command; wait_ms only says how long you wait. For a server that is to stay, set timeout_ms to null and wait_ms to 0, then "wait" for its port.`,
  input: z.object({
    command: z.string().min(1).describe('the command, as for bash -c'),
    cwd: z.string().optional().describe('working directory; default: that of this server'),
    name: z
      .string()
      .max(bounds.nameBytes)
      .optional()
      .describe('a short name by which other tools find the task'),
    timeout_ms: z
      .int()
      .min(1)
      .max(bounds.durationMs)
      .nullable()
      .optional()
      .describe(`the command is stopped after so long; null: never; default ${defaults.timeoutMs} (30 min)`),
    wait_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .optional()
      .describe(`how long to wait for the end before it goes on in the background; default ${waitMs}`),
  }),
  output: z.object({ task: taskSchema, output: outputSchema, ...ridingFields }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  async call(args, { desk, abortSignal, atOnce }) {
    const { command, cwd, name, timeout_ms: timeoutMs } = args;
    const task = await desk.session.spawn(command, {
      ...(cwd !== undefined && { cwd }),
      ...(name !== undefined && { name }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    desk.spawned();
    const limitMs = atOnce ? 0 : (args.wait_ms ?? waitMs);
    const snapshot = await task.wait({ timeoutMs: limitMs, ack: false, abortSignal });
    return await resultOf(desk, snapshot);
  },
});

/** The answer that `run` gives for a task as it is: also later, when it was an MCP task. */
export async function resultOf(desk: Desk, snapshot: TaskSnapshot): Promise<ToolAnswer> {
  const { taskId, status } = snapshot;
  const chunk = await desk.session.task(taskId).tail({ maxBytes: answerBytes });
  const output = presentOutput(snapshot, chunk);
  const ended = isEnded(status);
  const advice = ended
    ? ''
    : '\nIt goes on in the background, and you will be told when it ends. Do not poll.';
  return {
    text: `${sayTask(snapshot)}${advice}\n${sayOutput(output)}`,
    structured: { task: presentTask(snapshot), output },
    isError: ended && status !== 'completed',
    tells: ended ? [taskId] : [],
    started: snapshot,
  };
}
