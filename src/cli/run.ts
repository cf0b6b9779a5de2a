import type { Task } from '../api/task.ts';
import type { BindTo, SpawnOptions } from '../engine/spawn-request.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, type LeftoversPolicy } from '../model/words.ts';
import { commandOf } from '../util/quote.ts';
import { exitStatus, statusOfTask } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type CommonOptions, withSession } from './open.ts';
import { copyAll, copyTail, followAll } from './output.ts';
import { jsonLine, remarks } from './present/task.ts';
import { shownDuration } from './present/values.ts';
import { untilStarted } from './until-started.ts';
import { type None, orNull } from './values.ts';

interface RunVerbOptions extends CommonOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly name?: string;
  readonly label?: Record<string, string>;
  readonly timeout?: number | None;
  readonly grace?: number;
  readonly shell?: string;
  readonly separate?: boolean;
  readonly maxOutput?: number | None;
  readonly leftovers?: LeftoversPolicy;
  readonly memory?: number;
  /** Milliseconds. */
  readonly cpuTime?: number;
  readonly processes?: number;
  readonly nice?: number;
  readonly bindTo?: BindTo;
  readonly queue?: boolean;
  readonly unbuffered?: boolean;
  readonly wait?: number | None;
  readonly follow?: boolean;
}

/** `outlive run`: starts a command, and stays for as long as it is asked to. */
export async function run(io: Io, words: readonly string[], options: RunVerbOptions): Promise<number> {
  return await withSession(options, async (session) => {
    const task = await session.spawn(commandOf(words), spawnOptions(options));
    if (options.wait !== undefined || options.follow) return await foreground(io, task, options);
    const snapshot = await untilStarted(task);
    await io.out(io.json ? jsonLine(snapshot) : `${task.id}\n`);
    return exitStatus.ok;
  });
}

/** What was said, in the words of the library; what was not said has the library's defaults. */
function spawnOptions(options: RunVerbOptions): SpawnOptions {
  const { timeout, maxOutput, cpuTime, queue } = options;
  const said = {
    cwd: options.cwd,
    env: options.env,
    name: options.name,
    labels: options.label,
    timeoutMs: timeout === undefined ? undefined : orNull(timeout),
    graceMs: options.grace,
    shell: options.shell,
    separate: options.separate,
    unbuffered: options.unbuffered,
    maxOutputBytes: maxOutput === undefined ? undefined : orNull(maxOutput),
    leftovers: options.leftovers,
    memoryBytes: options.memory,
    cpuSeconds: cpuTime === undefined ? undefined : Math.ceil(cpuTime / 1000),
    processes: options.processes,
    niceness: options.nice,
    bindTo: options.bindTo,
    onLimit: queue ? 'queue' : undefined,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** Waits for the end, or for as long as was said, or until somebody presses Ctrl-C; then the task is in the background. */
async function foreground(io: Io, task: Task, options: RunVerbOptions): Promise<number> {
  const { follow = false, separate = false } = options;
  const waitMs = orNull(options.wait ?? 'none');
  return await untilInterrupted(async (interrupted) => {
    const patience = new AbortController();
    const following =
      follow && !io.json ? followAll(io, task, { separate, abortSignal: patience.signal }) : null;
    const waited = await waitFor(task, waitMs, interrupted);
    const snapshot = waited.status === 'starting' ? await untilStarted(task) : waited;
    const ended = isEnded(snapshot.status);
    // What has ended is read to its end; what goes on is left where it is.
    if (!ended) patience.abort();
    await following;
    if (!follow && !io.json) await (ended ? copyAll : copyTail)(io, task, separate);
    if (io.json) await io.out(jsonLine(snapshot));
    if (!ended) return background(io, snapshot, interrupted.aborted ? null : waitMs);
    for (const remark of remarks(snapshot, io)) io.note(remark);
    await task.ack();
    return statusOfTask(snapshot);
  });
}

async function waitFor(
  task: Task,
  timeoutMs: number | null,
  abortSignal: AbortSignal,
): Promise<TaskSnapshot> {
  try {
    return await task.wait({ ack: false, abortSignal, ...(timeoutMs !== null && { timeoutMs }) });
  } catch (error) {
    if (abortSignal.aborted) return task.snapshot();
    throw error;
  }
}

/** @param waitedMs how long we waited; null: until we were interrupted. */
function background(io: Io, { taskId }: TaskSnapshot, waitedMs: number | null): number {
  const when = waitedMs === null ? 'you interrupted the wait, and it' : `after ${shownDuration(waitedMs)} it`;
  io.note(
    `${taskId} is in the background: ${when} goes on. Do not poll; wait for its end with: ${io.hint('wait', taskId)}`,
  );
  return exitStatus.stillRunning;
}
