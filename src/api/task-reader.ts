import type { ScreenOptions } from '../engine/interact/screen.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { takeSnapshot } from '../engine/session/observe.ts';
import {
  type WaitForOptions,
  type WaitForResult,
  waitForOptionNames,
} from '../engine/wait/wait-for-options.ts';
import type { WatchMatch } from '../engine/watches/match-feed.ts';
import { type WatchSummary, watchesOf } from '../engine/watches/pattern-watches.ts';
import type { WatchOptions } from '../engine/watches/watch-options.ts';
import { checkOptions } from '../errors/check-options.ts';
import { taskNotFound } from '../errors/error.ts';
import type { OutputMark } from '../model/marks.ts';
import type { Pattern } from '../model/pattern.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Screen } from '../terminal/screen.ts';
import {
  type FollowOptions,
  follow,
  type MarksOptions,
  marks,
  type OutputChunk,
  type ReadOptions,
  read,
  type TailOptions,
  tail,
} from './output.ts';

/** A task to read from. Nothing that is done with it changes the store. */
export class TaskReader {
  readonly #context: SessionContext;
  /** `bgb-` and 12 hexadecimal digits. */
  readonly id: string;
  readonly sessionId: string;

  /** For `StoreTask` and `Task` only. */
  constructor(context: SessionContext, id: string) {
    this.#context = context;
    this.id = id;
    this.sessionId = context.sessionId;
  }

  /**
   * The task as it is now, read from disk.
   * @throws OutliveError `TASK_NOT_FOUND` when it was removed.
   */
  snapshot(): TaskSnapshot {
    const snapshot = takeSnapshot(this.#context, this.id);
    if (snapshot === null) throw taskNotFound(this.sessionId, this.id);
    return snapshot;
  }

  /** Reads a stretch of the output, by bytes. */
  async read(options: ReadOptions = {}): Promise<OutputChunk> {
    return read(this.#context, this.id, options);
  }

  /** Reads the end of the output. Costs the same on a file of any size. */
  async tail(options: TailOptions = {}): Promise<OutputChunk> {
    return tail(this.#context, this.id, options);
  }

  /**
   * When the output had grown how far: everything before the `offset` of a mark was written by the time `at`. The last
   * one is the end of the output. They are about a second apart while the task writes, and up to five seconds after a
   * silence; of tasks that write for hours they are further apart, since at most 4,096 are kept.
   * @throws OutliveError `INVALID_ARGUMENT` on Windows, `TASK_NOT_FOUND`.
   */
  async marks(options: MarksOptions = {}): Promise<readonly OutputMark[]> {
    return marks(this.#context, this.id, options);
  }

  /**
   * What the terminal of the task shows now, as a person would see it, or showed at its end: text, and the cursor.
   * @throws OutliveError `NO_TERMINAL`, `TASK_NOT_FOUND`, `INVALID_ARGUMENT`.
   */
  async screen(options: ScreenOptions = {}): Promise<Screen> {
    const { takeScreen } = await import('../engine/interact/screen.ts');
    return await takeScreen(this.#context, this.id, options);
  }

  /** Yields the output as it grows, and ends when the task has ended and all of it was read. */
  follow(options: FollowOptions = {}): AsyncGenerator<OutputChunk, void, undefined> {
    return follow(this.#context, this.id, options);
  }

  /**
   * Waits for whichever comes first: a pattern in the output, a port at which the task listens, silence, the
   * end, the time limit. Nothing is acknowledged, and an end is told that nobody has settled yet.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`; the abort signal's reason.
   */
  async waitFor(options: WaitForOptions): Promise<WaitForResult> {
    checkOptions('waitFor()', options, waitForOptionNames);
    const { waitFor } = await import('../engine/wait/wait-for.ts');
    return await waitFor(this.#context, this.id, { ...options, ack: false });
  }

  /**
   * Yields each line of output in which a pattern stands, those that are there and then those that come, until
   * the task has ended and all was searched. Nothing of it is kept.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`.
   */
  async *watch(pattern: Pattern, options: WatchOptions = {}): AsyncGenerator<WatchMatch, void, undefined> {
    const { watchTask } = await import('../engine/watches/watch-task.ts');
    yield* watchTask(this.#context, this.id, pattern, options);
  }

  /** The durable watches that are open. */
  watches(): WatchSummary[] {
    return watchesOf(this.#context, this.id);
  }
}
