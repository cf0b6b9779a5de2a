import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isEnded, type Task, type TaskSnapshot } from '../../src/index.ts';
import { factOf, hasFact } from './logs.ts';
import { onWindows } from './processes.ts';
import { quote, type World, waitFor } from './world.ts';

/** Waits until the shim of a queued task sleeps. */
export async function untilAsleep(world: World, task: Pick<Task, 'id'>): Promise<void> {
  const log = world.logOf(task.id);
  await waitFor(() => hasFact(log, 'waiting'), 'the shim to say that it waits');
  const { pid } = factOf(log, 'waiting');
  // On Windows it is not let run before its turn.
  if (onWindows) return;
  await waitFor(() => /\) S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')), 'the shim to sleep');
}

/** The end of a task; an error when it does not come, as when nobody gives it its turn. */
export async function endOf(task: Task): Promise<TaskSnapshot> {
  const snapshot = await task.wait({ timeoutMs: 30_000 });
  if (!isEnded(snapshot.status))
    throw new Error(`waited in vain for the end of ${task.id}: ${snapshot.status}`);
  return snapshot;
}

/** A command that notes in a file when it starts and when it ends. */
export function tracing(trace: string, name: number | string, between = 'sleep 0.02'): string {
  const note = (word: string): string => `echo ${word} ${name} >>${quote(trace)}`;
  return `${note('start')}; ${between}; ${note('end')}`;
}

/**
 * Looks that tasks started in the order in which they were put into the queue. On Windows those that find a place at once
 * are in no queue.
 */
export function checkOrder(all: readonly string[]): void {
  const logs = onWindows ? all.filter((log) => hasFact(log, 'waiting')) : all;
  const starts = logs.map((log) => factOf(log, 'started').monoMs ?? 0);
  assert.deepEqual(
    starts,
    starts.toSorted((a, b) => a - b),
  );
}

/** What such commands noted: the names in the order of their starts, and how many ran at the same time at most. */
export function startOrder(trace: string): { order: string[]; mostAtOnce: number } {
  const order: string[] = [];
  let [running, mostAtOnce] = [0, 0];
  for (const line of trace.split('\n').filter(Boolean)) {
    const [word, name = ''] = line.split(' ');
    running += word === 'start' ? 1 : -1;
    mostAtOnce = Math.max(mostAtOnce, running);
    if (word === 'start') order.push(name);
  }
  return { order, mostAtOnce };
}
