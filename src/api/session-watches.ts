import { compilePattern } from '../engine/compile-pattern.ts';
import type { SessionContext } from '../engine/context.ts';
import { closeWatch, isMatchOwed, openWatches, seeMatch } from '../engine/pattern-watches.ts';
import { seenOffset, type Watch } from '../model/watches.ts';
import { holdProcess } from '../util/wait.ts';
import { matchFeed, type WatchMatch } from './match-feed.ts';
import { checkMatchOptions, type MatchOptions } from './watch-options.ts';

/** A match of a durable watch: owed to the session until it is acknowledged. */
export interface OwedMatch extends WatchMatch {
  readonly watchId: string;
  /**
   * Acknowledges it, and with it all matches of its watch before it.
   * @returns whether this call was the first, among all processes.
   */
  ack(): Promise<boolean>;
}

/** Yields every match that is owed, of all watches of a session, and then each as it comes. */
export async function* sessionWatches(
  context: SessionContext,
  options: MatchOptions,
): AsyncGenerator<OwedMatch, void, undefined> {
  const { abortSignal } = checkMatchOptions(options);
  const merge = new Merge(context, options);
  const wake = (): void => merge.wake();
  abortSignal?.addEventListener('abort', wake, { once: true });
  context.watchListeners.add(wake);
  try {
    for (;;) {
      const next = await merge.next();
      if (next === null) return;
      yield next;
    }
  } finally {
    abortSignal?.removeEventListener('abort', wake);
    context.watchListeners.delete(wake);
    merge.close();
  }
}

/** How far a feed is. */
interface Progress {
  /** Where the line of the last match that was found begins; -1 without any. */
  lastLine: number;
  /** The task has ended, and all of its output was searched. */
  done: boolean;
}

/** The feeds of all watches, one match each at a time, so that what is not taken stays on disk. */
class Merge {
  readonly #context: SessionContext;
  readonly #options: MatchOptions;
  readonly #over = new AbortController();
  readonly #running = new Map<string, Progress>();
  readonly #ready: { readonly match: OwedMatch; readonly goOn: () => void }[] = [];
  #feeding = 0;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(context: SessionContext, options: MatchOptions) {
    this.#context = context;
    this.#options = options;
  }

  wake(): void {
    this.#wake?.();
  }

  close(): void {
    this.#over.abort();
    for (const { goOn } of this.#ready.splice(0)) goOn();
  }

  async next(): Promise<OwedMatch | null> {
    for (;;) {
      if (this.#options.abortSignal?.aborted || this.#context.closed) return null;
      this.#startFeeds();
      const ready = this.#ready.shift();
      ready?.goOn();
      // Another process may have acknowledged it meanwhile.
      if (ready !== undefined && isMatchOwed(this.#context, ready.match)) return ready.match;
      if (ready !== undefined) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#options.wait === false && this.#feeding === 0) return null;
      const release = holdProcess();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
      release();
    }
  }

  #startFeeds(): void {
    for (const taskId of this.#context.watched) {
      for (const watch of openWatches(this.#context, taskId)) {
        // A watch that is opened again under the same id is another one.
        const key = `${taskId} ${watch.fact.id} ${watch.fact.at}`;
        if (this.#running.has(key)) continue;
        const progress: Progress = { lastLine: -1, done: false };
        this.#running.set(key, progress);
        this.#feeding += 1;
        this.#feed(taskId, watch, progress)
          .catch((error: unknown) => {
            this.#error ??= error;
          })
          .finally(() => {
            this.#feeding -= 1;
            this.wake();
          });
      }
    }
  }

  async #feed(taskId: string, watch: Watch, progress: Progress): Promise<void> {
    const { id: watchId, pattern, stream, from } = watch.fact;
    const seen = seenOffset(watch);
    const matches = matchFeed(this.#context, {
      ...checkMatchOptions(this.#options),
      taskId,
      stream,
      matcher: await compilePattern(pattern),
      from: Math.max(seen, from),
      lineIsSeen: seen >= 0,
      abortSignal: this.#over.signal,
      // Who waits for the merged matches keeps the process, not each of the feeds.
      holds: false,
      finished: () => {
        progress.done = true;
      },
    });
    for await (const match of matches) {
      progress.lastLine = match.lineOffset;
      const owed = { watchId, ...match, ack: async () => this.#acknowledge({ watchId, ...match }, progress) };
      await new Promise<void>((goOn) => {
        this.#ready.push({ match: owed, goOn });
        this.wake();
      });
      if (this.#over.signal.aborted) return;
    }
    const last = { taskId, watchId, lineOffset: progress.lastLine, nextOffset: 0 };
    const isOwed = progress.lastLine >= 0 && isMatchOwed(this.#context, last);
    if (progress.done && !isOwed) closeWatch(this.#context, taskId, watchId);
  }

  #acknowledge(match: WatchMatch & { readonly watchId: string }, progress: Progress): boolean {
    const first = seeMatch(this.#context, match);
    // The task has ended, and this was the last match: nothing more can be owed.
    if (progress.done && match.lineOffset === progress.lastLine)
      closeWatch(this.#context, match.taskId, match.watchId);
    return first;
  }
}
