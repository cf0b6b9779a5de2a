import type { Store } from '../api/store.ts';
import type { Task } from '../api/task.ts';
import type { BindTo, SpawnOptions } from '../engine/spawn/spawn-request.ts';
import type { StdinOption } from '../engine/spawn/stdin-request.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { reopensOutput } from '../model/lost-output.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, type LeftoversPolicy, type OutputWay, type TerminalSize } from '../model/words.ts';
import { commandOf } from '../util/quote.ts';
import { checkCommandWords } from './check-command.ts';
import { exitStatus, statusOfTask } from './exit-status.ts';
import { hintsOnTerminal, noteUnheld } from './hints.ts';
import { untilInterrupted } from './interrupt.ts';
import { goesIntoAgent } from './into-agent.ts';
import type { Io } from './io.ts';
import { type CommonOptions, isOwn, sessionIdOf, withStore } from './open.ts';
import { copyAll, copyEnds, copyTail, followAll, LossNotice } from './output.ts';
import { printStarted } from './present/started.ts';
import { jsonLine, remarks } from './present/task.ts';
import { shownDuration } from './present/values.ts';
import { refuseInSandbox } from './sandbox.ts';
import { hasStdin } from './stdin.ts';
import { terminalSizeOf } from './terminal-size.ts';
import { untilStarted } from './until-started.ts';
import { type None, orNull } from './values.ts';

interface RunVerbOptions extends CommonOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly name?: string;
  readonly replace?: boolean;
  readonly label?: Record<string, string>;
  readonly timeout?: number | None;
  readonly grace?: number;
  readonly shell?: string;
  readonly separate?: boolean;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly size?: TerminalSize;
  readonly output?: OutputWay;
  readonly maxOutput?: number | None;
  readonly leftovers?: LeftoversPolicy;
  readonly memory?: number;
  /** Milliseconds. */
  readonly cpuTime?: number;
  readonly processes?: number;
  readonly nice?: number;
  readonly bindTo?: BindTo;
  /** How many tasks of the session may run. */
  readonly queue?: number;
  readonly after?: string | undefined;
  readonly key?: string;
  readonly onExit?: string;
  readonly unbuffered?: boolean;
  readonly wait?: number | None;
  readonly follow?: boolean;
  readonly anyway?: boolean;
}

/** `outlive run`: starts a command, and stays for as long as it is asked to. */
export async function run(io: Io, words: readonly string[], options: RunVerbOptions): Promise<number> {
  checkCommandWords(words, options.cwd);
  checkTogether(options);
  if (goesOn(options)) refuseInSandbox();
  const limits = options.queue === undefined ? {} : { maxRunning: options.queue };
  return await withStore(options, async (store) => {
    const session = await store.session(sessionIdOf(options), limits);
    const after = options.after === undefined ? undefined : taskBefore(store, options.after, options);
    const command = commandOf(words);
    hintAtPipe(io, command, options);
    const task = await session.spawn(command, spawnOptions({ ...options, after }));
    if (task.reused) io.note(`${task.id} has this key already: nothing was started.`);
    if (task.replaced.length > 0) io.note(`stopped ${task.replaced.join(', ')}: ${task.id} takes its place`);
    if (options.wait !== undefined || options.follow) return await foreground(io, task, options);
    const snapshot = await untilStarted(task);
    hintAtStdin(io, snapshot);
    for (const hint of hintsOnTerminal(command, options)) io.note(hint);
    noteUnheld(io, snapshot);
    return await printStarted(io, snapshot);
  });
}

/** The task that the new one comes after. */
function taskBefore(store: Store, reference: string, options: RunVerbOptions): string {
  const found = store.find(reference, sessionIdOf(options));
  if (isOwn(found, options)) return found.taskId;
  const [own, other] = [shown(sessionIdOf(options)), shown(found.sessionId)];
  throw new OutliveError(
    'TASK_NOT_FOUND',
    `expected --after with a task of session ${own}; found ${shown(reference)} in session ${other} alone: ${found.taskId}. Run this one in that session, with -s`,
    { details: { taskId: found.taskId } },
  );
}

/** Whether the command may be left in the background, where somebody counts on it. */
function goesOn({ wait, follow, anyway }: RunVerbOptions): boolean {
  const staysToItsEnd = wait === 'none' || (wait === undefined && follow === true);
  return anyway !== true && !staysToItsEnd;
}

/** Options that mean nothing without another one. */
function checkTogether(options: RunVerbOptions): void {
  const { replace, name } = options;
  terminalSizeOf(options);
  if (replace === true && name === undefined)
    throw new OutliveError('USAGE', 'expected --name with --replace; found --replace alone. Add --name');
}

/** Only on Linux such a name opens the file anew; elsewhere it is the same opening. */
function hintAtPipe(io: Io, command: string, { output }: RunVerbOptions): void {
  const name = process.platform === 'linux' && output !== 'pipe' ? reopensOutput(command) : null;
  if (name === null) return;
  const instead = name === '/dev/stderr' ? '>&2' : '>&1';
  io.note(
    `the command names ${name}: opening it erases earlier output. Use ${instead} instead, or: outlive run --output pipe`,
  );
}

/** Shells of agents leave a pipe open as the stdin of all that they start. */
function hintAtStdin(io: Io, { taskId, stdin }: TaskSnapshot): void {
  if (stdin === 'silent')
    io.note(
      `${taskId} has an empty stdin: nothing came from the pipe in 100 ms. To avoid the wait, write < /dev/null; to send input later, use --stdin`,
    );
}

/** What the command is to read: what is piped or redirected into this process, if anything is. */
function stdinOf({ stdin, tty }: RunVerbOptions): StdinOption | undefined {
  const isOpen = stdin === true || tty === true;
  if (!hasStdin()) return isOpen ? 'open' : undefined;
  return isOpen ? 'inherit-open' : 'inherit';
}

/** What was said, in the words of the library; what was not said has the library's defaults. */
function spawnOptions(options: RunVerbOptions): SpawnOptions {
  const { timeout, maxOutput, cpuTime, queue } = options;
  const said = {
    cwd: options.cwd,
    env: options.env,
    name: options.name,
    replace: options.replace,
    labels: options.label,
    timeoutMs: timeout === undefined ? undefined : orNull(timeout),
    graceMs: options.grace,
    shell: options.shell,
    separate: options.separate,
    stdin: stdinOf(options),
    tty: terminalSizeOf(options),
    output: options.output,
    unbuffered: options.unbuffered,
    maxOutputBytes: maxOutput === undefined ? undefined : orNull(maxOutput),
    leftovers: options.leftovers,
    memoryBytes: options.memory,
    cpuSeconds: cpuTime === undefined ? undefined : Math.ceil(cpuTime / 1000),
    processes: options.processes,
    niceness: options.nice,
    bindTo: options.bindTo,
    onLimit: queue === undefined ? undefined : 'queue',
    after: options.after,
    key: options.key,
    onExit: options.onExit,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** Waits for the end, or for as long as was said, or until somebody presses Ctrl-C; then the task is in the background. */
async function foreground(io: Io, task: Task, options: RunVerbOptions): Promise<number> {
  const { separate = false } = options;
  // A person at a terminal sees the output as it comes. For a later reader, the end of the output matters.
  const follow = options.follow ?? io.terminal;
  const waitMs = orNull(options.wait ?? 'none');
  return await untilInterrupted(async (interrupted) => {
    const patience = new AbortController();
    const notice = new LossNotice(io, task.id);
    const following =
      follow && !io.json ? followAll(io, task, { separate, notice, abortSignal: patience.signal }) : null;
    const waiting = async (): Promise<TaskSnapshot> => {
      const waited = await waitFor(task, waitMs, interrupted);
      const snapshot = waited.status === 'starting' ? await untilStarted(task) : waited;
      // What has ended is read to its end; what goes on is left where it is.
      if (!isEnded(snapshot.status)) patience.abort();
      return snapshot;
    };
    // What cannot be printed ends the wait.
    const [snapshot] = await Promise.all([waiting(), following]);
    hintAtStdin(io, snapshot);
    const ended = isEnded(snapshot.status);
    const copyEnded = goesIntoAgent() ? copyEnds : copyAll;
    if (!follow && !io.json) await (ended ? copyEnded : copyTail)(io, task, { separate, notice });
    if (io.json) await io.out(jsonLine(snapshot));
    if (!ended) return background(io, snapshot, interrupted.aborted ? null : waitMs);
    noteUnheld(io, snapshot);
    notice.end(snapshot);
    for (const remark of remarks(snapshot, io)) io.note(remark);
    await io.arrived();
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
    if (error === abortSignal.reason) return task.snapshot();
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
