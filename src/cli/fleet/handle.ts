import { OutliveError } from '../../errors/error.ts';
import type { Fleet } from '../../fleet/client/fleet.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import { visible } from '../../util/visible.ts';
import { exitStatus } from '../exit-status.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../present/task.ts';
import { shownBytes, shownTime } from '../present/values.ts';
import { textFromStdin } from '../send.ts';
import { remoteHeadline, statusOf } from './remote-task.ts';

/** `outlive wait` of tasks of a fleet: until all have ended, or one of them with `--any`. */
export async function waitInFleet(
  io: Io,
  fleet: Fleet,
  references: readonly string[],
  { timeout, any }: { readonly timeout?: number; readonly any?: boolean },
): Promise<number> {
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
    const snapshot = known.localId === null ? null : await inspected(io, () => task.inspect());
    if (io.json) await io.out(jsonLine({ ...known, snapshot }));
    else {
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
      await io.out(`${remoteHeadline(known, io)}\n${lines.join('')}`);
    }
  }
  return exitStatus.ok;
}

async function inspected<Value>(io: Io, ask: () => Promise<Value>): Promise<Value | null> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof OutliveError) || error.code !== 'HOST_UNREACHABLE') throw error;
    io.note(error.message);
    return null;
  }
}

/** `outlive kill` of tasks of a fleet. */
export async function killInFleet(
  io: Io,
  fleet: Fleet,
  references: readonly string[],
  { grace }: { readonly grace?: number },
): Promise<number> {
  for (const reference of references) {
    const task = await fleet.task(reference);
    await task.kill({ graceMs: grace ?? null });
    // The host has stopped it; the end comes to the coordinator a moment after.
    const ended = (await task.wait({ timeoutMs: 5_000 })) ?? task.known;
    await io.out(io.json ? jsonLine(ended) : `${remoteHeadline(ended, io)}\n`);
  }
  return exitStatus.ok;
}

/** `outlive send` to a task of a fleet. */
export async function sendInFleet(
  _io: Io,
  fleet: Fleet,
  [reference = '', text]: readonly string[],
  { enter, eof }: { readonly enter?: boolean; readonly eof?: boolean },
): Promise<number> {
  const task = await fleet.task(reference);
  const data = text ?? textFromStdin({ ...(enter && { enter }), ...(eof && { eof }) });
  await task.send(Buffer.concat([Buffer.from(data as string), Buffer.from(enter ? '\r' : '')]), {
    eof: eof === true,
  });
  return exitStatus.ok;
}
