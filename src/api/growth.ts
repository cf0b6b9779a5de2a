import { type FSWatcher, watch } from 'node:fs';
import type { SessionContext } from '../engine/context.ts';
import { after, holdProcess } from '../util/wait.ts';

/** The poll behind the events, for file systems that send none: this often, and later each time nothing came. */
const firstPollMs = 250;
const longestPollMs = 2_000;

/** How to wait for growth. */
export interface GrowthOptions {
  /** The poll may become rarer, since {@link Growth.found} makes it frequent again. @default false */
  readonly slowsDown?: boolean;
  /** Waiting keeps the process. @default true */
  readonly holds?: boolean;
}

/** Wakes somebody when the output of a task grows or the task changes. */
export class Growth {
  readonly #watcher: FSWatcher | undefined;
  readonly #unlisten: () => void;
  readonly #options: GrowthOptions;
  #grown = false;
  #pollMs = firstPollMs;
  #wake: (() => void) | undefined;

  /** @param path the output; `null`: only what happens to the task matters. */
  constructor(context: SessionContext, taskId: string, path: string | null, options: GrowthOptions = {}) {
    const notify = (): void => this.wake();
    this.#options = options;
    this.#watcher = path === null ? undefined : watchFile(path, notify);
    const listeners = context.listeners.get(taskId) ?? new Set();
    context.listeners.set(taskId, listeners.add(notify));
    this.#unlisten = () => {
      listeners.delete(notify);
      if (listeners.size === 0) context.listeners.delete(taskId);
    };
  }

  /** Forgets what happened so far: to be called before the look that sees it. */
  reset(): void {
    this.#grown = false;
  }

  /** Something happened that is to be looked at. */
  wake(): void {
    this.#grown = true;
    this.#wake?.();
  }

  /** A poll found what no event had told of: events do not work here. */
  found(): void {
    this.#pollMs = firstPollMs;
  }

  /**
   * Resolves at the next event, when aborted, after `mostMs`, or after the poll's pause; at once if there was
   * an event since `reset`.
   * @returns whether it was an event.
   */
  next(abortSignal: AbortSignal | undefined, mostMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.#grown || abortSignal?.aborted) return Promise.resolve(this.#grown);
    // Only who waits keeps the process; an iterator that was left alone does not.
    const release = this.#options.holds === false ? () => undefined : holdProcess();
    return new Promise((resolve) => {
      const done = (): void => {
        release();
        timer.cancel();
        abortSignal?.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve(this.#grown);
      };
      const timer = after(Math.min(mostMs, this.#pollMs), done);
      if (this.#options.slowsDown) this.#pollMs = Math.min(this.#pollMs * 2, longestPollMs);
      abortSignal?.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  close(): void {
    this.#watcher?.close();
    this.#unlisten();
  }
}

function watchFile(path: string, notify: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, notify);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
