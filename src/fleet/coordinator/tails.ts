import type { KnownTail } from '../wire/messages.ts';

/** The most bytes that are kept for all tasks together. The oldest report is dropped first. */
const mostBytes = 32 * 1024 ** 2;

/** The last output of a task, as a host has reported it. */
interface Told extends KnownTail {
  readonly host: string;
  /** When the host reported it, in milliseconds of a monotonic clock. */
  readonly at: number;
}

/** The last output of running tasks, from the heartbeats of hosts. Clients see it when a host does not answer. */
export class Tails {
  readonly #all = new Map<string, Told>();
  #bytes = 0;

  /** Takes the last output of a task that runs on that host. */
  take(host: string, tail: KnownTail, now: number): void {
    this.drop(tail.task);
    this.#all.set(tail.task, { ...tail, host, at: now });
    this.#bytes += tail.tail.length;
    for (const oldest of this.#all.keys()) {
      if (this.#bytes <= mostBytes) return;
      this.drop(oldest);
    }
  }

  /** The last report about an attempt; `null`: there was none, or it was dropped. */
  get({ task, attempt, host }: Pick<Told, 'task' | 'attempt' | 'host'>): Told | null {
    const found = this.#all.get(task);
    return found?.attempt === attempt && found.host === host ? found : null;
  }

  drop(task: string): void {
    this.#bytes -= this.#all.get(task)?.tail.length ?? 0;
    this.#all.delete(task);
  }

  /** Forgets tasks that no longer run. */
  keep(runs: (task: string) => boolean): void {
    for (const task of [...this.#all.keys()]) if (!runs(task)) this.drop(task);
  }
}
