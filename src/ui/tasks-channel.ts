import type { Store } from '../api/store.ts';
import type { StoreEvent } from '../api/watch-store.ts';
import type { TaskUsage } from '../engine/processes/usage.ts';
import type { TasksData } from './protocol.ts';
import { rowOf } from './rows.ts';

/** So many tasks are in one message: the first rows are there before the last ones are read. */
const tasksAtOnce = 100;

/** How much of the output the snapshots have, in bytes: with some, output that grows is told, once a second. */
const previewBytes = 1;

/** What a page is told of the tasks of a store: all there are, and then whatever changes. */
export async function* tasksData(
  store: Store,
  usage: boolean,
  abortSignal: AbortSignal,
): AsyncGenerator<TasksData, void, undefined> {
  for await (const event of store.watch({ usage, previewBytes, abortSignal })) yield* dataOf(event);
}

function* dataOf(event: StoreEvent): Generator<TasksData, void, undefined> {
  switch (event.type) {
    case 'snapshot':
      // The newest first: those are on the first screen.
      for (let end = event.tasks.length; end > 0; end -= tasksAtOnce)
        yield { kind: 'tasks', tasks: event.tasks.slice(Math.max(0, end - tasksAtOnce), end).map(rowOf) };
      yield { kind: 'ready' };
      return;
    case 'changed':
      yield { kind: 'tasks', tasks: [rowOf(event.task)] };
      return;
    case 'gone':
      yield { kind: 'gone', taskId: event.taskId };
      return;
    case 'usage':
      yield { kind: 'usage', usage: mapped(event.usage) };
      return;
    default:
      // A session without tasks is not shown.
      return;
  }
}

function mapped(usage: Readonly<Record<string, TaskUsage>>): Record<string, [number, number, number]> {
  return Object.fromEntries(
    Object.entries(usage).map(([taskId, { cpuPercent, memoryBytes, processes }]) => [
      taskId,
      [Math.round(cpuPercent * 10) / 10, memoryBytes, processes],
    ]),
  );
}
