import { noFacts } from '../../model/fold.ts';
import type { LineMatcher, PatternMatch } from '../../model/line-search.ts';
import { Pace } from '../../model/pace.ts';
import type { Stream } from '../../tasklog/output.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { readableOutput } from '../session/output-file.ts';
import { contextOf, type MatchContext } from './match-context.ts';
import { OutputSearch } from './output-search.ts';
import { OutputWatcher } from './output-watcher.ts';

/** A match of a watch. */
export interface WatchMatch extends PatternMatch, MatchContext {
  readonly taskId: string;
  /** The offset at which the file of the output began when this was found: see `OutputChunk`. */
  readonly beginsAt: number;
  /** Matches before this one, and after the one that was handed out before, that the rate limit left out. */
  readonly dropped: number;
}

/** What to feed on, found valid. */
export interface Feed {
  readonly taskId: string;
  readonly stream: Stream;
  readonly matcher: LineMatcher;
  readonly from: number;
  /** What is left of the line that `from` is in is not searched. */
  readonly lineIsSeen: boolean;
  readonly contextLines: number;
  readonly maxPerSecond: number;
  /** Continue with later output, not only with what is there. */
  readonly wait: boolean;
  readonly abortSignal: AbortSignal | undefined;
  /** Waiting for a match keeps the process. */
  readonly holds: boolean;
  /** Called when the task has ended and all of its output was searched. */
  readonly finished?: () => void;
}

/**
 * Yields matches as the output grows, until the task has ended and all of it was searched. Over the rate
 * limit the newest match is held back until it may go, and takes the count of those before it along.
 */
export async function* matchFeed(
  context: SessionContext,
  feed: Feed,
): AsyncGenerator<WatchMatch, void, undefined> {
  const { taskId, stream, abortSignal } = feed;
  const { path } = source(context, taskId, stream).file;
  const growth = new OutputWatcher(context, taskId, path, { slowsDown: true, holds: feed.holds });
  const search = new OutputSearch(feed.matcher, feed.from, feed.lineIsSeen);
  const held = new Held(feed.maxPerSecond);
  let byEvent = true;
  try {
    while (!abortSignal?.aborted && !context.closed) {
      growth.reset();
      // First whether it ended, then the search: what comes between the two is searched.
      const { file, ended } = source(context, taskId, stream);
      const searched = search.offset;
      const { matches, more, beginsAt } = await search.next(file);
      if (!byEvent && search.offset > searched) growth.found();
      const isLast = !more && (ended || !feed.wait);
      const complete = (found: HeldMatch): WatchMatch => ({
        taskId,
        ...found.match,
        ...contextOf(file, found.match, feed.contextLines),
        beginsAt,
        dropped: found.dropped,
      });
      for (const match of matches) {
        held.add(match);
        const ready = held.take();
        if (ready !== null) yield complete(ready);
      }
      const ready = held.take(isLast);
      if (ready !== null) yield complete(ready);
      if (!more && ended) feed.finished?.();
      if (isLast) return;
      if (!more) byEvent = await growth.next(abortSignal, held.dueInMs);
    }
  } finally {
    growth.close();
  }
}

function source(context: SessionContext, taskId: string, stream: Stream) {
  const observed = observe(context, taskId);
  // A task that was removed has nothing more to say.
  const ended = observed?.decision.state !== 'live';
  return { file: readableOutput(context, taskId, stream, observed?.facts ?? noFacts), ended };
}

interface HeldMatch {
  readonly match: PatternMatch;
  readonly dropped: number;
}

/** The newest match that was not handed out, and how many it has displaced. */
class Held {
  readonly #pace: Pace;
  #match: PatternMatch | null = null;
  #dropped = 0;

  constructor(maxPerSecond: number) {
    this.#pace = new Pace(maxPerSecond, monotonicMs());
  }

  add(match: PatternMatch): void {
    if (this.#match !== null) this.#dropped += 1;
    this.#match = match;
  }

  take(atOnce = false): HeldMatch | null {
    if (this.#match === null || !(this.#pace.take(monotonicMs()) || atOnce)) return null;
    const taken = { match: this.#match, dropped: this.#dropped };
    this.#match = null;
    this.#dropped = 0;
    return taken;
  }

  get dueInMs(): number {
    return this.#match === null ? Number.POSITIVE_INFINITY : Math.max(1, this.#pace.pauseMs);
  }
}
