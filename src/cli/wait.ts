import type { Task } from '../api/task.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { exitStatus, statusOfTask } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findAll, handleOf, withStore } from './open.ts';
import { completionText, jsonLine } from './present/task.ts';

interface WaitVerbOptions extends CommonOptions {
  readonly any?: boolean;
  readonly timeout?: number;
}

/** `outlive wait`: waits for the end of all tasks that are named, or of one of them. */
export async function wait(io: Io, references: readonly string[], options: WaitVerbOptions): Promise<number> {
  return await withStore(options, async (store) => {
    const tasks: Task[] = [];
    for (const snapshot of findAll(store, references, options)) tasks.push(await handleOf(store, snapshot));
    const found = await untilInterrupted((interrupted) => waitForEnds(tasks, options, interrupted));
    const ended = found.filter(({ status }) => isEnded(status));
    for (const snapshot of ended) await tell(io, tasks, snapshot);
    const running = found.filter(({ status }) => !isEnded(status));
    if (ended.length === 0 || (!options.any && running.length > 0)) {
      await tellRunning(io, running);
      return exitStatus.stillRunning;
    }
    return ended.map(statusOfTask).find((status) => status !== exitStatus.ok) ?? exitStatus.ok;
  });
}

/** The snapshots of all tasks when all, or with `any` at least one, have ended, or the wait was given up. */
async function waitForEnds(
  tasks: readonly Task[],
  { any = false, timeout }: WaitVerbOptions,
  interrupted: AbortSignal,
): Promise<TaskSnapshot[]> {
  const enough = new AbortController();
  const abortSignal = AbortSignal.any([interrupted, enough.signal]);
  const waits = tasks.map(async (task) => {
    try {
      // Acknowledged when it is printed, not before.
      return await task.wait({
        ack: false,
        abortSignal,
        ...(timeout !== undefined && { timeoutMs: timeout }),
      });
    } catch (error) {
      if (!abortSignal.aborted) throw error;
      return task.snapshot();
    } finally {
      if (any) enough.abort();
    }
  });
  return await Promise.all(waits);
}

async function tell(io: Io, tasks: readonly Task[], snapshot: TaskSnapshot): Promise<void> {
  await io.out(io.json ? jsonLine(snapshot) : completionText(snapshot, io));
  await tasks.find(({ id }) => id === snapshot.taskId)?.ack();
}

async function tellRunning(io: Io, running: readonly TaskSnapshot[]): Promise<void> {
  if (io.json) await io.out(running.map(jsonLine).join(''));
  const ids = running.map(({ taskId }) => taskId).join(' ');
  io.note(`still running: ${ids}. Wait again with: outlive wait ${ids}`);
}
