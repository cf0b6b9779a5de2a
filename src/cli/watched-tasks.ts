import type { StoreEvent } from '../api/watch-store.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { monotonicMs } from '../util/wait.ts';
import type { Processes } from './present/ps-rows.ts';

/** A task, and when it was told so, in milliseconds. */
interface Told {
  readonly task: TaskSnapshot;
  readonly at: number;
}

/** The tasks of a store as they were told last, by `store.watch()`. */
export class WatchedTasks {
  readonly #isLive: boolean;
  readonly #told = new Map<string, Told>();
  #processes: ReadonlyMap<string, Processes> = new Map();
  /** What there was at the beginning has been told. */
  isRead = false;
  /** The watch is over: no more changes come. */
  isOver = false;
  #hasNews = false;

  /** @param isLive only those that have not ended. */
  constructor(isLive: boolean) {
    this.#isLive = isLive;
  }

  async read(events: AsyncIterable<StoreEvent>): Promise<void> {
    try {
      for await (const event of events) {
        this.#take(event);
        this.#hasNews = true;
      }
    } finally {
      this.isOver = true;
    }
  }

  /** Whether something has been told since the last call. */
  takeNews(): boolean {
    const hadNews = this.#hasNews;
    this.#hasNews = false;
    return hadNews;
  }

  /** The oldest first. Those that run get older without being told. */
  tasks(): TaskSnapshot[] {
    const now = monotonicMs();
    return [...this.#told.values()].map((told) => aged(told, now)).sort((a, b) => a.createdAt - b.createdAt);
  }

  /** One of them; `undefined` if it is gone. */
  find(taskId: string): TaskSnapshot | undefined {
    const told = this.#told.get(taskId);
    return told === undefined ? undefined : aged(told, monotonicMs());
  }

  /** What the processes of a task were last seen to do. */
  processesOf(taskId: string): Processes {
    return this.#processes.get(taskId) ?? { usage: undefined, ports: undefined };
  }

  #take(event: StoreEvent): void {
    if (event.type === 'snapshot') {
      for (const task of event.tasks) this.#put(task);
      this.isRead = true;
    } else if (event.type === 'changed') this.#put(event.task);
    else if (event.type === 'gone') this.#told.delete(event.taskId);
    else if (event.type === 'usage') {
      const { usage, ports } = event;
      const all = Object.entries(usage).map(
        ([taskId, used]) => [taskId, { usage: used, ports: ports[taskId] }] as const,
      );
      this.#processes = new Map(all);
    }
  }

  #put(task: TaskSnapshot): void {
    if (this.#isLive && isEnded(task.status)) this.#told.delete(task.taskId);
    else this.#told.set(task.taskId, { task, at: monotonicMs() });
  }
}

function aged({ task, at }: Told, now: number): TaskSnapshot {
  return isEnded(task.status) || task.durationMs === null
    ? task
    : { ...task, durationMs: task.durationMs + Math.round(now - at) };
}
