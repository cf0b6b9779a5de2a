import type { Store } from '../api/store.ts';
import type { StoreEvent } from '../api/watch-store.ts';
import type { TaskUsage } from '../engine/processes/usage.ts';
import { holdProcess } from '../util/wait.ts';
import type { TaskRow, TasksData } from './protocol.ts';
import { rowOf } from './rows.ts';

/** How many tasks one message has, so that the first rows arrive before the last ones are read. */
const tasksAtOnce = 100;

/** How much of the output the snapshots have, in bytes. With some, the watch reports growing output once a second. */
const previewBytes = 1;

/**
 * What the pages of a server are told about the tasks of a store: all of them, and then every change. Pages that want
 * the same share one watch of the store, which goes on while one of them is connected.
 */
export class TasksFeed {
  readonly #store: Store;
  /** One watch with usage, and one without. */
  readonly #watches = new Map<boolean, SharedWatch>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Tells the tasks to one page, at its pace: only the newest state of each task waits for it. */
  async *tasks(usage: boolean, abortSignal: AbortSignal): AsyncGenerator<TasksData, void, undefined> {
    const known = this.#watches.get(usage);
    const shared = known === undefined || known.isOver ? new SharedWatch(this.#store, usage) : known;
    this.#watches.set(usage, shared);
    try {
      yield* shared.tell(abortSignal);
    } finally {
      // A page does not join a watch that has failed or that no page uses.
      if (shared.isOver && this.#watches.get(usage) === shared) this.#watches.delete(usage);
    }
  }
}

class SharedWatch {
  readonly #viewers = new Set<Viewer>();
  /** The tasks as they are now, the oldest first. */
  readonly #rows = new Map<string, TaskRow>();
  #usage: TasksData | null = null;
  #isRead = false;
  #failure: { readonly error: unknown } | null = null;
  readonly #ended = new AbortController();

  constructor(store: Store, usage: boolean) {
    const watching = store.watch({ usage, previewBytes, abortSignal: this.#ended.signal });
    void this.#read(watching).then((failure) => {
      this.#failure = failure;
      this.#ended.abort();
      this.#wakeAll();
    });
  }

  get isOver(): boolean {
    return this.#ended.signal.aborted;
  }

  async *tell(abortSignal: AbortSignal): AsyncGenerator<TasksData, void, undefined> {
    const viewer = new Viewer();
    this.#viewers.add(viewer);
    try {
      while (!this.#isRead && this.#goesOn(abortSignal)) await viewer.next(abortSignal);
      if (this.#isRead) yield* this.#all();
      while (this.#goesOn(abortSignal)) {
        const data = viewer.take();
        if (data === undefined) await viewer.next(abortSignal);
        else yield data;
      }
    } finally {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#ended.abort();
    }
  }

  /** @throws the error with which the watch failed. */
  #goesOn(abortSignal: AbortSignal): boolean {
    if (this.#failure !== null) throw this.#failure.error;
    return !abortSignal.aborted && !this.isOver;
  }

  /** @returns how the watch failed. Each page of this watch is told. */
  async #read(watching: AsyncIterable<StoreEvent>): Promise<{ readonly error: unknown } | null> {
    try {
      for await (const event of watching) this.#take(event);
      return null;
    } catch (error) {
      return { error };
    }
  }

  #take(event: StoreEvent): void {
    if (event.type === 'snapshot') {
      for (const task of event.tasks) this.#rows.set(task.taskId, rowOf(task));
      this.#isRead = true;
      this.#wakeAll();
    } else if (event.type === 'changed') {
      const row = rowOf(event.task);
      this.#rows.set(row.taskId, row);
      this.#put(row.taskId, { kind: 'tasks', tasks: [row] });
    } else if (event.type === 'gone') {
      this.#rows.delete(event.taskId);
      this.#put(event.taskId, { kind: 'gone', taskId: event.taskId });
    } else if (event.type === 'usage') {
      this.#usage = usageData(event);
      this.#put('usage', this.#usage);
    }
    // A session without tasks is not shown.
  }

  #put(key: string, data: TasksData): void {
    for (const viewer of this.#viewers) viewer.put(key, data);
  }

  #wakeAll(): void {
    for (const viewer of this.#viewers) viewer.wake();
  }

  /** All tasks, the newest first: those are on the first screen. */
  *#all(): Generator<TasksData> {
    const rows = [...this.#rows.values()];
    for (let end = rows.length; end > 0; end -= tasksAtOnce)
      yield { kind: 'tasks', tasks: rows.slice(Math.max(0, end - tasksAtOnce), end) };
    yield { kind: 'ready' };
    if (this.#usage !== null) yield this.#usage;
  }
}

/** What one page has not taken yet. */
class Viewer {
  readonly #waiting = new Map<string, TasksData>();
  #wake: (() => void) | undefined;

  put(key: string, data: TasksData): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, data);
    this.wake();
  }

  wake(): void {
    this.#wake?.();
  }

  take(): TasksData | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    this.#waiting.delete(first[0]);
    return first[1];
  }

  /** Resolves when there may be something, or when aborted. */
  async next(abortSignal: AbortSignal): Promise<void> {
    if (this.#waiting.size > 0 || abortSignal.aborted) return;
    const release = holdProcess();
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        abortSignal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      abortSignal.addEventListener('abort', wake);
    });
    this.#wake = undefined;
    release();
  }
}

function usageData({ usage, ports }: Extract<StoreEvent, { type: 'usage' }>): TasksData {
  return {
    kind: 'usage',
    usage: mapped(usage, ({ cpuPercent, memoryBytes, processes }: TaskUsage) => [
      Math.round(cpuPercent * 10) / 10,
      memoryBytes,
      processes,
    ]),
    ports: mapped(ports, (own) => [...new Set(own.map(({ port }) => port))].sort((a, b) => a - b)),
  };
}

function mapped<From, To>(of: Readonly<Record<string, From>>, by: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, by(value)]));
}
