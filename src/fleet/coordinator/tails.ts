import type { KnownTail } from '../wire/messages.ts';

/** Bytes that are kept of all tasks together. What was told longest ago goes first. */
const mostBytes = 32 * 1024 ** 2;

/** The end of an output, as a host has told it. */
interface Told extends KnownTail {
  readonly host: string;
  /** When, by a clock that does not go back, in milliseconds. */
  readonly at: number;
}

/** The ends of the outputs of running tasks, as hosts have told them with their heartbeats: for the time in which a host is out of reach. */
export class Tails {
  readonly #all = new Map<string, Told>();
  #bytes = 0;

  /** Takes one of a task that runs on that host. */
  take(host: string, tail: KnownTail, now: number): void {
    this.drop(tail.task);
    this.#all.set(tail.task, { ...tail, host, at: now });
    this.#bytes += tail.tail.length;
    for (const oldest of this.#all.keys()) {
      if (this.#bytes <= mostBytes) return;
      this.drop(oldest);
    }
  }

  /** What was told last of an attempt; `null`: nothing, or that was too long ago. */
  get({ task, attempt, host }: Pick<Told, 'task' | 'attempt' | 'host'>): Told | null {
    const found = this.#all.get(task);
    return found?.attempt === attempt && found.host === host ? found : null;
  }

  drop(task: string): void {
    this.#bytes -= this.#all.get(task)?.tail.length ?? 0;
    this.#all.delete(task);
  }

  /** Forgets those of tasks that no longer run. */
  keep(runs: (task: string) => boolean): void {
    for (const task of [...this.#all.keys()]) if (!runs(task)) this.drop(task);
  }
}
