import { z } from 'zod';
import type { WaitForOptions, WaitForResult } from '../../api/wait-for-options.ts';
import { OutliveError } from '../../errors/error.ts';
import { isEnded } from '../../model/words.ts';
import { presentOutput, presentTask, sayDuration, sayOutput, sayTask } from '../present.ts';
import { outputSchema, ridingFields, taskSchema } from '../schemas.ts';
import { nextEnd } from './next-end.ts';
import { answerBytes } from './run.ts';
import { defineTool, type ToolAnswer, type ToolCall } from './tool.ts';

/** Below the minute after which clients give up a request by default. */
const defaultTimeoutMs = 50_000;

const input = z.object({
  task: z.string().min(1).optional().describe('taskId or name; without it: whichever ends next'),
  pattern: z
    .string()
    .min(1)
    .optional()
    .describe('a regular expression; wait for a line of output in which it matches, also one written before'),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('wait until the task takes connections at this TCP port'),
  idle_ms: z
    .int()
    .min(0)
    .max(86_400_000)
    .optional()
    .describe('wait until it has written nothing for so long'),
  from: z.int().min(0).optional().describe('byte of the output from which on the pattern counts; default 0'),
  timeout_ms: z
    .int()
    .min(0)
    .max(3_600_000)
    .optional()
    .describe(`how long to wait at most; default ${defaultTimeoutMs}. The task is not stopped`),
});

/** Blocks until something has happened that is worth a look. */
export const wait = defineTool({
  name: 'wait',
  title: 'Wait for a task',
  description: `Waits until a task ends, and answers at that moment with its exit code and the end of its output. With pattern, port or idle_ms it waits for that as well, whichever comes first: a server that is ready, a test that has failed, a prompt. Without task it waits until the next one of this conversation ends. Call it when you have nothing else to do; one call replaces any number of looks. It gives up after timeout_ms (50 s) and says so; the task goes on, and you can wait again.`,
  input,
  output: z.object({
    task: taskSchema.optional().describe('missing when there was nothing to wait for'),
    output: outputSchema.optional(),
    cause: z
      .enum(['exit', 'pattern', 'port', 'idle', 'timeout', 'nothing'])
      .describe('what ended the wait; timeout: it still runs; nothing: no task was running'),
    match: z
      .object({ line: z.string(), nextOffset: z.number() })
      .optional()
      .describe('what the pattern found'),
    ...ridingFields,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call(args, call) {
    const { task, timeout_ms: timeoutMs = defaultTimeoutMs } = args;
    const { desk, abortSignal } = call;
    const conditions = conditionsOf(args);
    if (task !== undefined) {
      const { taskId } = await desk.find(task);
      const options = { ...conditions, timeoutMs, ack: false, abortSignal };
      return await answer(call, await desk.session.task(taskId).waitFor(options), timeoutMs);
    }
    if (Object.keys(conditions).length > 0) throw needsTask();
    const snapshot = await nextEnd(call, timeoutMs);
    if (snapshot === null) return nothing;
    const cause = isEnded(snapshot.status) ? 'exit' : 'timeout';
    return await answer(call, { cause, snapshot, match: null }, timeoutMs);
  },
});

const nothing: ToolAnswer = {
  text: 'No task is running, so there is nothing to wait for.',
  structured: { cause: 'nothing' },
  tells: [],
};

function conditionsOf(args: z.infer<typeof input>): WaitForOptions {
  return {
    ...(args.pattern !== undefined && { pattern: { regexp: args.pattern } }),
    ...(args.port !== undefined && { port: args.port }),
    ...(args.idle_ms !== undefined && { idleMs: args.idle_ms }),
    ...(args.from !== undefined && { from: args.from }),
  };
}

function needsTask(): OutliveError {
  return new OutliveError(
    'INVALID_ARGUMENT',
    'expected a task whose output, port or silence is to be waited for; found none. Name the task.',
  );
}

type Waited = Pick<WaitForResult, 'cause' | 'snapshot' | 'match'>;

async function answer({ desk }: ToolCall, waited: Waited, timeoutMs: number): Promise<ToolAnswer> {
  const { cause, snapshot, match } = waited;
  const { taskId } = snapshot;
  const output = presentOutput(snapshot, await desk.session.task(taskId).tail({ maxBytes: answerBytes }));
  const ended = isEnded(snapshot.status);
  const found = match === null ? {} : { match: { line: match.line, nextOffset: match.nextOffset } };
  return {
    text: `${sayTask(snapshot)}\n${sayCause(waited, timeoutMs)}${sayOutput(output)}`,
    structured: { task: presentTask(snapshot), output, cause, ...found },
    tells: ended ? [taskId] : [],
  };
}

function sayCause({ cause, match }: Waited, timeoutMs: number): string {
  switch (cause) {
    case 'exit':
      return '';
    case 'pattern':
      return `The pattern matches this line: ${match?.line ?? ''}\n`;
    case 'port':
      return 'It takes connections at the port.\n';
    case 'idle':
      return 'It has been silent for so long.\n';
    case 'timeout':
      return `It still runs after ${sayDuration(timeoutMs)} of waiting. You will be told when it ends.\n`;
  }
}
