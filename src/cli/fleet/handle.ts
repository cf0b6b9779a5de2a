import { OutliveError } from '../../errors/error.ts';
import type { Fleet } from '../../fleet/client/fleet.ts';
import type { FleetTask } from '../../fleet/client/fleet-task.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { visible } from '../../util/visible.ts';
import { exitStatus } from '../exit-status.ts';
import { inFlags } from '../flags.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import type { CommonOptions } from '../open.ts';
import { jsonLine } from '../present/task.ts';
import { shownBytes, shownTime } from '../present/values.ts';
import { keysOf, type SendWords, textFromStdin } from '../send.ts';
import { acknowledgePrinted } from './acknowledge-printed.ts';
import { lastSeenIn, lastSeenNote } from './last-seen.ts';
import { remoteHeadline, statusOf } from './remote-task.ts';

interface WaitInFleetOptions extends CommonOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly any?: boolean;
}

/** `outlive wait` of tasks of a fleet: until all have ended, or one of them with `--any`. */
export async function waitInFleet(
  io: Io,
  fleet: Fleet,
  references: readonly string[],
  options: WaitInFleetOptions,
): Promise<number> {
  const { timeout, any } = options;
  const tasks = await Promise.all(references.map(async (reference) => await fleet.task(reference)));
  const limits = timeout === undefined ? {} : { timeoutMs: timeout };
  const found = await untilInterrupted(async (interrupted) => {
    const first = new AbortController();
    const abortSignal = AbortSignal.any([interrupted, first.signal]);
    return await Promise.all(
      tasks.map(async (task) => {
        try {
          const ended = await task.wait({ ...limits, abortSignal });
          if (any && ended !== null) first.abort();
          return ended;
        } catch (error) {
          if (abortSignal.aborted && error === abortSignal.reason) return null;
          throw error;
        }
      }),
    );
  });
  const ended = found.filter((task): task is RemoteTask => task !== null);
  for (const task of ended) await io.out(io.json ? jsonLine(task) : `${remoteHeadline(task, io)}\n`);
  await acknowledgePrinted(io, fleet, ended, options);
  if (ended.length === 0 || (!any && ended.length < tasks.length)) {
    const running = tasks.filter((_task, index) => found[index] === null);
    for (const { reference } of running) io.note(`${reference} runs on`);
    return exitStatus.stillRunning;
  }
  return ended.map(statusOf).find((status) => status !== exitStatus.ok) ?? exitStatus.ok;
}

/** `outlive show` of tasks of a fleet: what the coordinator knows, and what the host does, if it answers. */
export async function showInFleet(io: Io, fleet: Fleet, references: readonly string[]): Promise<number> {
  for (const reference of references) {
    const task = await fleet.task(reference);
    const { known } = task;
    const { snapshot, failure } = await inspected(task);
    if (io.json) {
      const unreachable =
        failure === null ? {} : { hostError: { code: failure.code, message: failure.message } };
      await io.out(jsonLine({ ...task.known, snapshot, ...unreachable }));
    } else await io.out(shown(io, known, snapshot));
    if (failure !== null) await noteFailure(io, known.host, failure);
  }
  return exitStatus.ok;
}

function shown(io: Io, known: RemoteTask, snapshot: TaskSnapshot | null): string {
  const { spec, at, localId, startBy, redispatch } = known;
  const rows: readonly (readonly [string, string | null])[] = [
    ['session', spec.session],
    ['folder', snapshot?.cwd ?? spec.cwd],
    ['there', localId === null ? null : `${localId} in the store of ${known.host}`],
    ['changed', shownTime(at)],
    ['start by', known.state === 'assigned' && startBy !== null ? shownTime(startBy) : null],
    ['anew', redispatch === 0 ? null : `up to ${redispatch} times when its host is lost`],
    ['output', snapshot === null ? null : shownBytes(snapshot.output.bytes)],
  ];
  const lines = rows.flatMap(([name, value]) =>
    value === null ? [] : [`  ${name.padEnd(9)} ${visible(value)}\n`],
  );
  return `${remoteHeadline(known, io)}\n${lines.join('')}`;
}

/** The host does not answer: the end of the output, as it was known last, and why there is no more. */
async function noteFailure(io: Io, host: string, failure: OutliveError): Promise<void> {
  const seen = lastSeenIn(failure);
  if (seen === null) return io.note(inFlags(failure.message));
  if (!io.json)
    for (const line of seen.tail.split('\n').slice(-shownLines))
      if (line !== '') await io.out(`  | ${visible(line)}\n`);
  io.note(lastSeenNote(host, seen));
}

interface Inspected {
  readonly snapshot: TaskSnapshot | null;
  readonly failure: OutliveError | null;
}

const nothing: Inspected = { snapshot: null, failure: null };
/** Lines of the end of an output that `show` prints where the host does not answer. */
const shownLines = 10;

async function inspected(task: FleetTask): Promise<Inspected> {
  try {
    return { snapshot: await task.inspect(), failure: null };
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    if (error.code === 'HOST_UNREACHABLE') return { snapshot: null, failure: error };
    // It is accepted, and about to start.
    if (error.code === 'TASK_NOT_FOUND') return nothing;
    throw error;
  }
}

/** `outlive kill` of tasks of a fleet. */
export async function killInFleet(
  io: Io,
  fleet: Fleet,
  references: readonly string[],
  options: CommonOptions & { readonly grace?: number },
): Promise<number> {
  for (const reference of references) {
    const task = await fleet.task(reference);
    await task.kill({ graceMs: options.grace ?? null });
    // The host has stopped it; the end comes to the coordinator a moment after.
    const ended = (await task.wait({ timeoutMs: 5_000 })) ?? task.known;
    await io.out(io.json ? jsonLine(ended) : `${remoteHeadline(ended, io)}\n`);
    await acknowledgePrinted(io, fleet, [ended], options);
  }
  return exitStatus.ok;
}

/** `outlive send` to a task of a fleet. */
export async function sendInFleet(
  _io: Io,
  fleet: Fleet,
  [reference = '', text]: readonly string[],
  options: SendWords,
): Promise<number> {
  const task = await fleet.task(reference);
  await task.send(text ?? (await textFromStdin(options)), keysOf(options));
  return exitStatus.ok;
}
