import { OutliveError } from '../../errors/error.ts';
import type { Fleet, FleetSpawnOptions } from '../../fleet/client/fleet.ts';
import type { FleetTask } from '../../fleet/client/fleet-task.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import type { TerminalSize } from '../../model/words.ts';
import { firstOf } from '../../util/abort.ts';
import { after } from '../../util/wait.ts';
import { checkCommandWords } from '../check-command.ts';
import { exitStatus } from '../exit-status.ts';
import { inFlags } from '../flags.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, sessionIdOf } from '../open.ts';
import { jsonLine } from '../present/task.ts';
import { shownDuration } from '../present/values.ts';
import { terminalSizeOf } from '../terminal-size.ts';
import { type None, orNull } from '../values.ts';
import { acknowledgePrinted } from './acknowledge-printed.ts';
import { printOutput } from './logs.ts';
import { isOver, referenceOf, remoteHeadline, statusOf } from './remote-task.ts';

interface RunInFleetOptions extends CommonOptions {
  readonly on: string;
  /** Milliseconds. */
  readonly startBy?: number | None;
  readonly redispatch?: number;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly secret?: Record<string, string>;
  readonly name?: string;
  readonly label?: Record<string, string>;
  readonly timeout?: number | None;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly size?: TerminalSize;
  readonly key?: string;
  readonly wait?: number | None;
  readonly follow?: boolean;
}

/** How long `run` waits for a host to accept, in milliseconds. */
const acceptMs = 2_000;

/** `outlive run --on`: starts a command on a host of the fleet, and stays for as long as it is asked to. */
export async function runInFleet(
  io: Io,
  fleet: Fleet,
  words: readonly string[],
  options: RunInFleetOptions,
): Promise<number> {
  checkCommandWords(words, undefined);
  const task = await fleet.spawn(words.length === 1 ? (words[0] ?? '') : words, spawnOptions(options));
  if (options.wait !== undefined || options.follow) return await foreground(io, fleet, task, options);
  const { known } = task;
  await io.out(io.json ? jsonLine(known) : `${referenceOf(known)}\n`);
  if (known.state === 'assigned')
    io.note(`${known.host} has not accepted it yet. See: ${io.hint('show', referenceOf(known))}`);
  else if (known.state === 'revoked' && known.next !== null)
    io.note(
      `${known.host} has given it back; it waits for another host. See: ${io.hint('show', referenceOf(known))}`,
    );
  else if (isOver(known)) io.note(remoteHeadline(known, io));
  return known.end === null && isOver(known) ? statusOf(known) : exitStatus.ok;
}

/** Waits for the end, or for as long as was said, or until somebody presses Ctrl-C; then the task is in the background. */
async function foreground(
  io: Io,
  fleet: Fleet,
  task: FleetTask,
  options: RunInFleetOptions,
): Promise<number> {
  const { follow = false } = options;
  const waitMs = orNull(options.wait ?? 'none');
  return await untilInterrupted(async (interrupted) => {
    const ended = await untilEnded(io, task, { follow, waitMs, interrupted });
    if (ended === null) {
      const when = interrupted.aborted
        ? 'you interrupted the wait, and it'
        : `after ${shownDuration(waitMs ?? 0)} it`;
      if (!follow && !interrupted.aborted) await printSoFar(io, task);
      io.note(
        `${task.reference} is in the background: ${when} goes on. Do not poll; wait for its end with: ${io.hint('wait', task.reference)}`,
      );
      return exitStatus.stillRunning;
    }
    if (!follow && ended.localId !== null) await printOutput(io, task, 0, null);
    if (io.json) await io.out(jsonLine(ended));
    else if (ended.end === null || ended.end.status === 'lost') io.note(remoteHeadline(ended, io));
    await acknowledgePrinted(io, fleet, [ended], options);
    return statusOf(ended);
  });
}

/** Its end; `null`: it goes on after that time, or when it was interrupted. */
async function untilEnded(
  io: Io,
  task: FleetTask,
  {
    follow,
    waitMs,
    interrupted,
  }: { readonly follow: boolean; readonly waitMs: number | null; readonly interrupted: AbortSignal },
): Promise<RemoteTask | null> {
  const late = new AbortController();
  const timer = waitMs === null ? null : after(waitMs, () => late.abort());
  const abortSignal = firstOf(interrupted, late.signal);
  try {
    if (follow) await printOutput(io, task, 0, abortSignal);
    return await task.wait({ abortSignal });
  } catch (error) {
    if (abortSignal.aborted && error === abortSignal.reason) return null;
    throw error;
  } finally {
    timer?.cancel();
  }
}

/** What it has printed until now, where its host can say. */
async function printSoFar(io: Io, task: FleetTask): Promise<void> {
  if (io.json) {
    await io.out(jsonLine(task.known));
    return;
  }
  const { state } = await task.show();
  if (state === 'assigned') return;
  try {
    await printOutput(io, task, 0, null);
  } catch (error) {
    // It has not started yet, or its host does not answer. The task keeps running.
    if (!(error instanceof OutliveError)) throw error;
    if (error.code !== 'TASK_NOT_FOUND') io.note(inFlags(error.message));
  }
}

function spawnOptions(options: RunInFleetOptions): FleetSpawnOptions {
  const { on, cwd, env, secret, name, label, timeout, startBy, stdin, key, redispatch } = options;
  const tty = terminalSizeOf(options);
  if (cwd !== undefined && !cwd.startsWith('/'))
    throw new OutliveError(
      'USAGE',
      `expected the path of a folder on the host, from / on; found ${JSON.stringify(cwd)}. See: outlive run --help`,
    );
  return {
    ...{ on, acceptMs },
    session: sessionIdOf(options),
    ...(name !== undefined && { name }),
    ...(label !== undefined && { labels: label }),
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    ...(secret !== undefined && { secrets: secret }),
    ...(timeout !== undefined && { timeoutMs: orNull(timeout) }),
    ...(startBy !== undefined && { startByMs: orNull(startBy) }),
    ...(stdin && { stdin: 'open' as const }),
    ...(tty !== undefined && { tty }),
    ...(key !== undefined && { key }),
    ...(redispatch !== undefined && { redispatch }),
  };
}
