import * as z from 'zod';
import type { Task } from '../api/task.ts';
import type { SpawnOptions } from '../engine/spawn/spawn-request.ts';
import { bounds, defaults } from '../model/limits.ts';
import { reopensOutput } from '../model/lost-output.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, outputWays, type TaskStatus } from '../model/words.ts';
import type { Arguments } from './check-arguments.ts';
import { runThere } from './fleet/run-there.ts';
import { sayTerminal, terminalSize } from './terminal-answer.ts';
import { excerptOf } from './text/excerpt.ts';
import { sayPipeline } from './text/pipeline.ts';
import { presentExcerpt, presentTask, sayExcerpt, sayTask } from './text/present.ts';
import { outputSchema, ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool, type ToolAnswer, type ToolCall } from './tool.ts';

/** How long a call waits for the end by default. */
const waitMs = 10_000;

const input = z.strictObject({
  command: z.string().min(1).describe('as for bash -c'),
  cwd: z.string().optional().describe('working directory; default: the one that these tools were started in'),
  env: z.record(z.string(), z.string().nullable()).optional().describe('variables to add; null removes one'),
  name: z
    .string()
    .max(bounds.nameBytes)
    .optional()
    .describe('a short name by which other tools find the task; only one running task can have it'),
  replace: z.boolean().optional().describe('stop the task that runs under that name, and take its place'),
  labels: z.record(z.string(), z.string()).optional().describe('texts of yours, kept with the task'),
  key: z
    .string()
    .min(1)
    .max(bounds.keyBytes)
    .optional()
    .describe('what the task is for: a second call with it starts nothing and answers with the first task'),
  after: z.string().min(1).optional().describe('taskId or name: start when that task has completed'),
  bind: z.boolean().optional().describe('stop it when this conversation ends; by default it goes on'),
  output: z
    .enum(outputWays)
    .optional()
    .describe('pipe keeps all output of a command that writes to /dev/stdout or /dev/stderr by name'),
  stdin: z
    .union([z.literal('open'), z.strictObject({ data: z.string() })])
    .optional()
    .describe('what it reads: {"data": text}, or "open": what you type with "send"; default: nothing'),
  tty: z
    .boolean()
    .optional()
    .describe(
      'a terminal, for what asks questions or draws on the screen (REPL, debugger, installer, editor): type with "send". Not for builds and tests',
    ),
  timeout_ms: z
    .int()
    .min(1)
    .max(bounds.durationMs)
    .nullable()
    .optional()
    .describe(`stop it after this many milliseconds; null: never; default ${defaults.timeoutMs} (30 min)`),
  wait_ms: z
    .int()
    .min(0)
    .max(3_600_000)
    .optional()
    .describe(`how long you wait before it goes on in the background; default ${waitMs}`),
  grace_ms: z.int().min(0).optional().describe('from the first signal of a stop to SIGKILL; default 3000'),
  memory_bytes: z.int().min(1).optional().describe('most memory'),
  cpu_seconds: z.int().min(1).optional().describe('most CPU time of a process'),
  processes: z.int().min(1).optional().describe('most processes'),
  max_output_bytes: z
    .int()
    .min(1)
    .nullable()
    .optional()
    .describe('stop it when it has written more; default 1 GiB'),
});

const description = `Runs a shell command. Use it for whatever may take longer than a moment: builds, tests, installs, servers.
It waits up to wait_ms (10 s) for the end and then answers with the exit code and the end of the output, in lines that begin with "| ". If the command is still going, it goes on in the background by itself and you get its taskId.
You will be told when it ends, with the next answer of any of these tools. So go on with other work, or call "wait" when you have nothing else to do. Do not poll, do not sleep, do not start it again, and do not append "&" or use nohup: the command survives you and these tools as it is.
timeout_ms stops the command; wait_ms only says how long you wait. For a server that is to stay, set timeout_ms to null and wait_ms to 0, then "wait" for its port.`;

const common = {
  name: 'run',
  isAlwaysLoaded: true,
  title: 'Run a command',
  output: z.object({ task: taskSchema, output: outputSchema, ...ridingFields }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  meant: inBackground,
};

/** Starts a command, waits for it for a while, and then leaves it in the background. */
export const run = defineTool({ ...common, description, input, call: runHere });

/** The same for a server that is a client of a fleet: the command may run on another host. */
export const runAnywhere = defineTool({
  ...common,
  description: `${description}
With host it runs on another machine of the fleet. Its task is named host/id, and "wait", "output", "send", "screen" and "kill" take that; "tasks" lists the hosts. No files are copied there, and nothing of the environment but env.`,
  input: input.extend({
    host: z
      .string()
      .min(1)
      .optional()
      .describe(
        'where it runs: the name of a host; label:KEY or label:KEY=VALUE, several with commas; any: the host with most room. Default: this machine. There it takes cwd (from /), env, name, labels, key, stdin "open", tty, timeout_ms and wait_ms',
      ),
  }),
  async call({ host, ...args }, call) {
    if (host === undefined) return await runHere(args, call);
    return await runThere({ ...args, host }, call.atOnce ? 0 : (args.wait_ms ?? waitMs), call);
  },
});

async function runHere(args: z.infer<typeof input>, call: ToolCall): Promise<ToolAnswer> {
  const { clientSession, abortSignal, atOnce } = call;
  const { command, output, tty } = args;
  const task = await call.spawn(command, spawnOptions(args, call));
  call.follows(task.id);
  const limitMs = atOnce ? 0 : (args.wait_ms ?? waitMs);
  // A terminal is shown when its program seems to wait for an answer.
  const snapshot =
    tty === true
      ? (await task.waitFor({ input: true, timeoutMs: limitMs, ack: false, abortSignal })).snapshot
      : await task.wait({ timeoutMs: limitMs, ack: false, abortSignal });
  const result = await resultOf(task, snapshot);
  const answer =
    snapshot.tty === null
      ? result
      : { ...result, text: await sayTerminal(clientSession, task, snapshot, true) };
  const first = task.reused ? '[A task has this key already: nothing was started.]\n' : '';
  return { ...answer, text: `${first}${answer.text}${output === 'pipe' ? '' : hintAtPipe(command)}` };
}

/** Names that other tools give to the argument that says not to wait. */
const backgroundNames = ['run_in_background', 'is_background', 'background'];

function inBackground(args: Arguments): Arguments {
  const name = backgroundNames.find((known) =>
    [true, false, 'true', 'false'].includes(args[known] as string),
  );
  if (name === undefined) return args;
  const { [name]: flag, ...rest } = args;
  return String(flag) === 'true' ? { wait_ms: 0, ...rest } : rest;
}

function spawnOptions(args: z.infer<typeof input>, { clientSession, bindTo }: ToolCall): SpawnOptions {
  const { cwd, env, name, replace, labels, key, after, output, stdin, processes } = args;
  return definedOf({
    ...{ cwd, env, name, replace, labels, key, output, stdin, processes },
    after: after === undefined ? undefined : clientSession.session.find(after).taskId,
    bindTo: args.bind === true ? bindTo : undefined,
    tty: args.tty === true ? terminalSize : undefined,
    timeoutMs: args.timeout_ms,
    graceMs: args.grace_ms,
    memoryBytes: args.memory_bytes,
    cpuSeconds: args.cpu_seconds,
    maxOutputBytes: args.max_output_bytes,
  });
}

/** The fields that have a value. */
function definedOf<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Only on Linux does such a name open the file again. */
function hintAtPipe(command: string): string {
  const name = process.platform === 'linux' ? reopensOutput(command) : null;
  if (name === null) return '';
  return `\n[The command names ${name}: opening it erases earlier output. Use >&${name === '/dev/stderr' ? 2 : 1} instead, or output: "pipe".]`;
}

/** Whether outlive itself failed to start a command. */
export function neverStarted(status: TaskStatus, reason: string | null): boolean {
  return status === 'failed' && reason === 'spawn_aborted';
}

/** The answer of `run` for a task as it is now. It is also the result of an MCP task. */
export async function resultOf(task: Task, snapshot: TaskSnapshot): Promise<ToolAnswer> {
  const { taskId, status, statusReason } = snapshot;
  const excerpt = await excerptOf(task, snapshot);
  const ended = isEnded(status);
  const advice = ended
    ? ''
    : '\nIt goes on in the background, and you will be told when it ends. Do not poll.';
  return {
    text: `${sayTask(snapshot)}${sayPipeline(snapshot)}${advice}\n${sayExcerpt(excerpt, snapshot.output.path)}`,
    structured: { task: presentTask(snapshot), output: presentExcerpt(snapshot, excerpt) },
    isError: neverStarted(status, statusReason),
    tells: ended ? [taskId] : [],
    started: snapshot,
  };
}
