import { type FSWatcher, watch } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { logPath } from '../../tasklog/paths.ts';
import { after, holdProcess } from '../../util/wait.ts';
import { unwatched } from '../session/background.ts';
import { onChange } from '../session/changes.ts';
import type { SessionContext } from '../session/context.ts';

/**
 * The poll that backs up the events, for file systems that send none: this often, and less often each time nothing
 * came.
 */
const firstPollMs = 250;
const longestPollMs = 2_000;

/** How to wait for growth. */
export interface WatcherOptions {
  /** The poll may become rarer, since {@link OutputWatcher.found} makes it frequent again. @default false */
  readonly slowsDown?: boolean;
  /** Waiting keeps the process. @default true */
  readonly holds?: boolean;
}

/** Wakes somebody when one of some files or folders changes. */
export class Changes {
  readonly #paths: readonly string[];
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #options: WatcherOptions;
  #grown = false;
  #pollMs = firstPollMs;
  #wake: (() => void) | undefined;

  constructor(paths: readonly string[], options: WatcherOptions = {}) {
    this.#paths = paths;
    this.#options = options;
  }

  /**
   * Forgets what happened so far: to be called before the look that sees it. What is not there yet is watched from the
   * first look on that finds it.
   */
  reset(): void {
    this.#grown = false;
    for (const path of this.#paths) {
      const watcher = this.#watchers.has(path)
        ? undefined
        : watchFile(path, (event) => this.#happened(event, path));
      if (watcher !== undefined) this.#watchers.set(path, watcher);
    }
  }

  /** Something happened that needs a check. */
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

  #happened(event: string, path: string): void {
    // Another file may have taken its place, which is watched from the next look on.
    if (event === 'rename') {
      this.#watchers.get(path)?.close();
      this.#watchers.delete(path);
    }
    this.wake();
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

/** Wakes somebody when the output of a task grows or the task changes. */
export class OutputWatcher extends Changes {
  readonly #unlisten: () => void;
  readonly #forget: () => void;

  /** @param path the output; `null`: only what happens to the task matters. */
  constructor(context: SessionContext, taskId: string, path: string | null, options: WatcherOptions = {}) {
    // The output may not be there before the task has started, which wakes as well. Where nobody watches the session,
    // the log is watched here.
    const log = context.isWatched ? [] : [logPath(context.paths, taskId)];
    super([...(path === null ? [] : [path]), ...log], options);
    this.#forget = path === null ? () => undefined : context.outputs.keep(path);
    this.#unlisten = onChange(context, taskId, () => this.wake());
  }

  override close(): void {
    super.close();
    this.#unlisten();
    this.#forget();
  }
}

function watchFile(path: string, notify: (event: string) => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, notify);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    // It is not there, or there is no watch to be had: the poll does it.
    tolerate(error, unwatched, 'watching output');
    return undefined;
  }
}
