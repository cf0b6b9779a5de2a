import { checkOptions } from '../../errors/check-options.ts';
import { OutliveError } from '../../errors/error.ts';
import { type Facts, noFacts } from '../../model/fold.ts';
import type { LineMatcher } from '../../model/line-search.ts';
import { checkPattern, type PatternSource } from '../../model/pattern.ts';
import { seenOffset, type Watch } from '../../model/watches.ts';
import { lookAtOutput } from '../../tasklog/output.ts';
import { firstOf } from '../../util/abort.ts';
import { holdProcess } from '../../util/wait.ts';
import { report } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { readableOutput } from '../session/output-file.ts';
import { compilePattern } from './compile-pattern.ts';
import { matchFeed, type WatchMatch } from './match-feed.ts';
import { closeWatch, isMatchPending, openWatches, seeMatch } from './pattern-watches.ts';
import { checkMatchOptions, type MatchOptions, matchOptionNames } from './watch-options.ts';

/** A match of a durable watch: pending for its session until it is acknowledged. */
export interface PendingMatch extends WatchMatch {
  readonly watchId: string;
  /**
   * Acknowledges it, and with it all matches of its watch before it.
   * @returns whether this call was the first, among all processes.
   */
  ack(): Promise<boolean>;
}

/** Yields every match that is pending, of all watches of a session, and then each as it comes. */
export async function* sessionMatches(
  context: SessionContext,
  options: MatchOptions,
): AsyncGenerator<PendingMatch, void, undefined> {
  const { abortSignal } = checkMatchOptions(checkOptions('session.matches()', options, matchOptionNames));
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
  /** The last match that was found. */
  last: WatchMatch | null;
  /** The task has ended, and all of its output was searched. */
  done: boolean;
}

/** The feeds of all watches, one match each at a time, so that what is not taken stays on disk. */
class Merge {
  readonly #context: SessionContext;
  readonly #options: MatchOptions;
  readonly #over = new AbortController();
  readonly #ends = firstOf(this.#over.signal);
  readonly #running = new Map<string, Progress>();
  readonly #ready: { readonly match: PendingMatch; readonly goOn: () => void }[] = [];
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
    this.#report(this.#error);
    this.#error = undefined;
    for (const { goOn } of this.#ready.splice(0)) goOn();
  }

  async next(): Promise<PendingMatch | null> {
    for (;;) {
      if (this.#options.abortSignal?.aborted || this.#context.closed) return null;
      this.#startFeeds();
      const ready = this.#ready.shift();
      ready?.goOn();
      // Another process may have acknowledged it meanwhile.
      if (ready !== undefined && isMatchPending(this.#context, ready.match)) return ready.match;
      if (ready !== undefined) continue;
      if (this.#error !== undefined) {
        const error = this.#error;
        this.#error = undefined;
        throw error;
      }
      if (this.#options.wait === false && this.#feeding === 0) return null;
      const release = holdProcess();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
      release();
    }
  }

  /** The iterating caller is gone, and no other caller gets it. */
  #report(error: unknown): void {
    if (error !== undefined) report(this.#context, 'searching output for matches', error);
  }

  #startFeeds(): void {
    for (const taskId of this.#context.watched) {
      for (const watch of openWatches(this.#context, taskId)) {
        // A watch that is opened again under the same id is another one.
        const key = `${taskId} ${watch.fact.id} ${watch.fact.at}`;
        if (this.#running.has(key)) continue;
        const progress: Progress = { last: null, done: false };
        this.#running.set(key, progress);
        this.#feeding += 1;
        this.#feed(taskId, watch, progress)
          .catch((error: unknown) => {
            if (this.#over.signal.aborted) this.#report(error);
            else this.#error ??= error;
          })
          .finally(() => {
            this.#feeding -= 1;
            this.wake();
          });
      }
    }
  }

  async #feed(taskId: string, watch: Watch, progress: Progress): Promise<void> {
    const { id: watchId, pattern, stream, from, once = false } = watch.fact;
    const matcher = await matcherOf(pattern);
    if (matcher === null) return;
    const { beginsAt } = lookAtOutput(
      readableOutput(this.#context, taskId, stream, factsOf(this.#context, taskId)),
    );
    const seen = seenOffset(watch, beginsAt);
    const matches = matchFeed(this.#context, {
      ...checkMatchOptions(this.#options),
      taskId,
      stream,
      matcher,
      from: Math.max(seen, from),
      lineIsSeen: seen >= 0,
      abortSignal: this.#ends,
      // A caller that waits for the merged matches keeps the process alive; the single feeds do not.
      holds: false,
      finished: () => {
        progress.done = true;
      },
    });
    for await (const match of matches) {
      progress.last = match;
      const pending = {
        watchId,
        ...match,
        ack: async () => this.#acknowledge({ watchId, ...match }, progress),
      };
      await new Promise<void>((goOn) => {
        this.#ready.push({ match: pending, goOn });
        this.wake();
      });
      // Later matches of a watch that reports once belong to nobody.
      if (this.#over.signal.aborted || once) return;
    }
    const isPending = progress.last !== null && isMatchPending(this.#context, { watchId, ...progress.last });
    if (progress.done && !isPending && !this.#context.store.isReadOnly)
      closeWatch(this.#context, taskId, watchId, { ended: true });
  }

  #acknowledge(match: WatchMatch & { readonly watchId: string }, progress: Progress): boolean {
    const first = seeMatch(this.#context, match);
    // The task has ended, and this was the last match: nothing more can be pending.
    if (progress.done && match.lineOffset === progress.last?.lineOffset)
      closeWatch(this.#context, match.taskId, match.watchId, { ended: true });
    return first;
  }
}

function factsOf(context: SessionContext, taskId: string): Facts {
  return observe(context, taskId)?.facts ?? noFacts;
}

/** Null for a pattern that we would have refused: a task has written it into its own record, and harms nobody but itself. */
async function matcherOf(pattern: PatternSource): Promise<LineMatcher | null> {
  try {
    return await compilePattern(checkPattern('text' in pattern ? pattern.text : pattern));
  } catch (error) {
    if (error instanceof OutliveError && error.code === 'INVALID_ARGUMENT') return null;
    throw error;
  }
}
