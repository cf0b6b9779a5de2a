import * as z from 'zod';
import type { WaitForOptions, WaitForResult } from '../engine/wait/wait-for-options.ts';
import { OutliveError } from '../errors/error.ts';
import { isFleetReference } from '../model/fleet-reference.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { AgentFleetTask } from './fleet/agent-fleet.ts';
import { answerThere, nextEndThere, waitForThere } from './fleet/wait-there.ts';
import { nextEnd } from './next-end.ts';
import { excerptOf } from './text/excerpt.ts';
import { sayPipeline } from './text/pipeline.ts';
import { presentExcerpt, presentTask, sayExcerpt, sayTask } from './text/present.ts';
import { sayCause } from './text/say-cause.ts';
import { outputSchema, ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool, type ToolAnswer, type ToolCall } from './tool.ts';

/** Below the minute after which clients give up a request by default. */
const defaultTimeoutMs = 50_000;

/** How many of the tasks that ended lately are named if there is nothing to wait for. */
const mostLately = 3;

const input = z.strictObject({
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
    .describe('wait until it has written nothing for this many milliseconds'),
  screen: z
    .string()
    .min(1)
    .optional()
    .describe('a regular expression; wait until it matches in a line on the screen of its terminal'),
  from: z.int().min(0).optional().describe('byte of the output from which on the pattern counts; default 0'),
  timeout_ms: z
    .int()
    .min(0)
    .max(3_600_000)
    .optional()
    .describe(`how long to wait at most; default ${defaultTimeoutMs}. The task is not stopped`),
});

/** Blocks until one of the conditions is true. */
export const wait = defineTool({
  name: 'wait',
  isAlwaysLoaded: true,
  title: 'Wait for a task',
  description: `Waits until a task ends, and answers at that moment with its exit code and the end of its output. With pattern, port or idle_ms it waits for that as well, whichever comes first: a server that is ready, a test that has failed, a prompt. Without task it waits until the next one of this conversation ends. Call it when you have nothing else to do; one call replaces any number of looks. It gives up after timeout_ms (50 s) and says so; the task goes on, and you can wait again.`,
  input,
  output: z.object({
    task: taskSchema.optional().describe('missing when there was nothing to wait for'),
    output: outputSchema.optional(),
    cause: z
      .enum(['exit', 'pattern', 'port', 'idle', 'screen', 'input', 'line', 'timeout', 'nothing', 'unknown'])
      .describe(
        'what ended the wait; line: a watch has found one; timeout: it still runs; nothing: no task was running; unknown: the host of the task is lost',
      ),
    match: z
      .object({ line: z.string(), nextOffset: z.number() })
      .optional()
      .describe('what the pattern found'),
    ...ridingFields,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call(args, call) {
    const { task, timeout_ms: timeoutMs = defaultTimeoutMs } = args;
    const { clientSession } = call;
    if (task !== undefined && isFleetReference(task))
      return await waitForThere({ ...args, task }, timeoutMs, call);
    const conditions = conditionsOf(args);
    if (task !== undefined) {
      const { taskId } = clientSession.session.find(task);
      call.follows(taskId);
      const handle = clientSession.session.task(taskId);
      const until = async (abortSignal: AbortSignal): Promise<WaitForResult> =>
        await handle.waitFor({ ...conditions, timeoutMs, ack: false, abortSignal });
      // If the task has ended, its end is told before its watched lines.
      const isOver = isEnded(handle.snapshot().status);
      const waited = isOver ? await until(call.abortSignal) : await orLine(call, taskId, until);
      return waited === line ? aLine : await answer(call, waited, timeoutMs);
    }
    if (Object.keys(conditions).length > 0) throw needsTask();
    const found = await orLine(call, null, async (abortSignal) =>
      nextEndAnywhere({ ...call, abortSignal }, timeoutMs),
    );
    if (found === line) return aLine;
    if (found === null) return nothing(await call.endedLately(mostLately));
    if (!('status' in found)) return await answerThere(found, { match: null, timeoutMs }, call.abortSignal);
    const snapshot = found;
    const cause = isEnded(snapshot.status) ? 'exit' : 'timeout';
    return await answer(call, { cause, snapshot, match: null }, timeoutMs);
  },
});

/** The next end here or on another host. */
async function nextEndAnywhere(
  call: ToolCall,
  timeoutMs: number,
): Promise<TaskSnapshot | AgentFleetTask | null> {
  if (call.remote === null) return await nextEnd(call, timeoutMs);
  const stop = new AbortController();
  const either = { ...call, abortSignal: AbortSignal.any([call.abortSignal, stop.signal]) };
  const works = [nextEnd(either, timeoutMs), nextEndThere(either, timeoutMs)] as const;
  // If nothing runs in one of the two places, it waits for the other.
  const both = Promise.all(works).then(([here, there]) => here ?? there);
  try {
    return await Promise.race([...works.map(async (work) => (await work) ?? (await both)), both]);
  } finally {
    stop.abort();
    await Promise.allSettled(works);
  }
}

const line = Symbol('a line that is watched for');

/** Waits for something, or for a watched line, which rides on the answer. */
async function orLine<T>(
  { clientSession, abortSignal, mayHearLine }: ToolCall,
  taskId: string | null,
  wait: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T | typeof line> {
  const stop = new AbortController();
  const either = AbortSignal.any([abortSignal, stop.signal]);
  const work = [
    wait(either),
    clientSession.watchedLines.arrived(taskId, either, mayHearLine).then((): typeof line => line),
  ] as const;
  try {
    return await Promise.race(work);
  } finally {
    stop.abort();
    await Promise.allSettled(work);
  }
}

const aLine: ToolAnswer = {
  text: 'A line that you watch for has come.',
  structured: { cause: 'line' },
  tells: [],
};

function nothing(lately: readonly string[]): ToolAnswer {
  const lines = ['No task is running, so there is nothing to wait for.'];
  if (lately.length > 0) lines.push('Ended lately:', ...lately);
  return { text: lines.join('\n'), structured: { cause: 'nothing' }, tells: [] };
}

function conditionsOf(args: z.infer<typeof input>): WaitForOptions {
  return {
    ...(args.pattern !== undefined && { pattern: { regexp: args.pattern } }),
    ...(args.port !== undefined && { port: args.port }),
    ...(args.idle_ms !== undefined && { idleMs: args.idle_ms }),
    ...(args.screen !== undefined && { screen: { regexp: args.screen } }),
    ...(args.from !== undefined && { from: args.from }),
  };
}

function needsTask(): OutliveError {
  return new OutliveError(
    'INVALID_ARGUMENT',
    'expected a task, to wait for its output, screen, port or silence; found none. Name the task.',
  );
}

type Waited = Pick<WaitForResult, 'cause' | 'snapshot' | 'match'>;

async function answer({ clientSession }: ToolCall, waited: Waited, timeoutMs: number): Promise<ToolAnswer> {
  const { cause, snapshot, match } = waited;
  const { taskId } = snapshot;
  const excerpt = await excerptOf(clientSession.session.task(taskId), snapshot);
  const output = presentExcerpt(snapshot, excerpt);
  const ended = isEnded(snapshot.status);
  const found = match === null ? {} : { match: { line: match.line, nextOffset: match.nextOffset } };
  return {
    text: `${sayTask(snapshot)}${sayPipeline(snapshot)}\n${sayCause(waited, timeoutMs)}${sayExcerpt(excerpt, snapshot.output.path)}`,
    structured: { task: presentTask(snapshot), output, cause, ...found },
    tells: ended ? [taskId] : [],
  };
}
