import type { Store } from '../api/store.ts';
import type { StoreTask } from '../api/store-task.ts';
import type { Task } from '../api/task.ts';
import type { WaitForOptions, WaitForResult } from '../engine/wait/wait-for-options.ts';
import { sayErased } from '../model/erased.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { firstOf } from '../util/abort.ts';
import { visible } from '../util/visible.ts';
import { acknowledgePrinted } from './acknowledge.ts';
import { exitStatus, statusOfTask } from './exit-status.ts';
import { noteUnheld } from './hints.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { withLastLines } from './last-lines.ts';
import { type CommonOptions, findAll, handleOf, withStoreToRead, withStoreToWait } from './open.ts';
import { completionText, jsonLine } from './present/task.ts';
import { shownDuration } from './present/values.ts';
import type { Conditions } from './values.ts';

interface WaitVerbOptions extends CommonOptions {
  readonly any?: boolean;
  readonly timeout?: number;
  readonly for?: Conditions;
  /** Lines of output that are shown. */
  readonly lines?: number;
}

/** A task that is waited for; one that has ended and was acknowledged is only read. */
type Awaited = Task | StoreTask;

/** How the wait for one task ended. */
interface Waited {
  readonly task: Awaited;
  /** `null`: another task was the first, or the wait was interrupted. */
  readonly result: WaitForResult | null;
}

/** `outlive wait`: waits for all tasks that are named, or for one of them: for their end, or for what they do. */
export async function wait(io: Io, references: readonly string[], options: WaitVerbOptions): Promise<number> {
  const status = await withStoreToRead(options, async (store) => {
    const found = findAll(io, store, references, options);
    const isOver = found.every(({ delivered }) => delivered);
    const readers = found.map(({ taskId }) => store.task(taskId));
    return isOver ? await waitAndTell({ io, store }, readers, options) : null;
  });
  if (status !== null) return status;
  return await withStoreToWait(options, async (store) => {
    const tasks: Task[] = [];
    for (const snapshot of findAll(null, store, references, options))
      tasks.push(await handleOf(store, snapshot));
    return await waitAndTell({ io, store }, tasks, options);
  });
}

/** Where a wait tells what came of it. */
interface Place {
  readonly io: Io;
  readonly store: Store;
}

async function waitAndTell(
  place: Place,
  tasks: readonly Awaited[],
  options: WaitVerbOptions,
): Promise<number> {
  const waited = await untilInterrupted((interrupted) => waitForAll(tasks, options, interrupted));
  const statuses: number[] = [];
  for (const { task, result } of waited) {
    if (result !== null && result.cause !== 'timeout')
      statuses.push(await tell(place, task, result, options));
  }
  const missing = waited.filter(({ result }) => result === null || result.cause === 'timeout');
  if (statuses.length === 0 || (!options.any && missing.length > 0)) {
    await tellRunning(place.io, missing);
    return exitStatus.stillRunning;
  }
  return statuses.find((status) => status !== exitStatus.ok) ?? exitStatus.ok;
}

async function waitForAll(
  tasks: readonly Awaited[],
  { any = false, timeout, for: { exit: _always, ...conditions } = {} }: WaitVerbOptions,
  interrupted: AbortSignal,
): Promise<Waited[]> {
  const enough = new AbortController();
  const abortSignal = firstOf(interrupted, enough.signal);
  const options: WaitForOptions = {
    ...conditions,
    // Acknowledged when it is printed, not before.
    ack: false,
    abortSignal,
    ...(timeout !== undefined && { timeoutMs: timeout }),
  };
  return await Promise.all(
    tasks.map(async (task) => {
      const result = await resultOrNull(task, options, abortSignal);
      if (any && result !== null && result.cause !== 'timeout') enough.abort();
      return { task, result };
    }),
  );
}

async function resultOrNull(
  task: Awaited,
  options: WaitForOptions,
  abortSignal: AbortSignal,
): Promise<WaitForResult | null> {
  try {
    return await task.waitFor(options);
  } catch (error) {
    if (error === abortSignal.reason) return null;
    throw error;
  }
}

/** Prints what ended a wait. A task that ended although something else was waited for did not do it: that is no success. */
async function tell(
  { io, store }: Place,
  task: Awaited,
  result: WaitForResult,
  options: WaitVerbOptions,
): Promise<number> {
  const { cause, match, port, idleMs, screen, input, beginsAt } = result;
  const snapshot = await withLastLines(task, result.snapshot, options.lines);
  const { exit = false, ...others } = options.for ?? {};
  const awaited = Object.keys(others).length > 0;
  if (io.json)
    await io.out(
      jsonLine(
        awaited
          ? { taskId: task.id, cause, match, port, idleMs, screen, input, beginsAt, snapshot }
          : snapshot,
      ),
    );
  else await io.out(cause === 'exit' ? completionText(snapshot, io) : `${task.id} ${shown(result)}\n`);
  if (beginsAt > 0) io.note(`${task.id}: ${sayErased(beginsAt)}`);
  noteUnheld(io, snapshot);
  if (cause !== 'exit') return exitStatus.ok;
  await acknowledgePrinted(io, store, snapshot, options);
  const status = statusOfTask(snapshot);
  if (!awaited || exit) return status;
  io.note(`${task.id} ended before the condition was true`);
  return status === exitStatus.ok ? exitStatus.notSeen : status;
}

function shown({ match, port, idleMs, screen, input }: WaitForResult): string {
  if (screen !== null) return `shows in row ${screen.row + 1}: ${visible(screen.line)}`;
  if (input !== null)
    return input.kind === 'password' ? 'waits for a password' : `${input.how} waits for input`;
  if (match !== null) return `wrote at byte ${match.offset}: ${visible(match.line)}`;
  if (port !== null)
    return `listens at port ${port.port}${port.pid === null ? '' : `, by process ${port.pid}`}`;
  return `has written nothing for ${shownDuration(idleMs)}`;
}

async function tellRunning(io: Io, missing: readonly Waited[]): Promise<void> {
  const running: TaskSnapshot[] = missing.map(({ task, result }) => result?.snapshot ?? task.snapshot());
  if (io.json) await io.out(running.map(jsonLine).join(''));
  for (const snapshot of running) noteUnheld(io, snapshot);
  const ids = running.map(({ taskId }) => taskId);
  io.note(`still running: ${ids.join(' ')}. Wait again with: ${io.hint('wait', ...ids)}`);
}
