import { checkNumber } from '../engine/checks.ts';
import type { SessionContext } from '../engine/context.ts';
import { acknowledge } from '../engine/deliver.ts';
import { takeSnapshot } from '../engine/observe.ts';
import { closeWatch, type WatchSummary, watchesOf } from '../engine/pattern-watches.ts';
import { stopTask } from '../engine/stop.ts';
import { closed, taskNotFound } from '../errors/error.ts';
import { foldFacts } from '../model/fold.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { Pattern } from '../model/pattern.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { readLog } from '../tasklog/log.ts';
import { taskPaths } from '../tasklog/paths.ts';
import { checkSignal } from './kill-signal.ts';
import type { WatchMatch } from './match-feed.ts';
import {
  type FollowOptions,
  follow,
  type OutputChunk,
  type ReadOptions,
  read,
  type TailOptions,
  tail,
} from './output.ts';
import { untilEnded } from './wait.ts';
import type { WaitForOptions, WaitForResult } from './wait-for-options.ts';
import type { WatchOptions } from './watch-options.ts';
import type { AddWatchOptions } from './watch-task.ts';

/** How to wait for the end of a task. */
export interface WaitOptions {
  /** Wait at most so long; then the snapshot says that the task still runs. @default no limit */
  readonly timeoutMs?: number;
  /**
   * Whether the result counts as the delivery of the completion, so that it is delivered nowhere else.
   * @default true
   */
  readonly ack?: boolean;
  /** Ends the waiting with the signal's reason as error; the task goes on. */
  readonly abortSignal?: AbortSignal;
}

/** How to stop a task. */
export interface KillOptions {
  /** Between the first signal and SIGKILL, in milliseconds. @default what was said at spawn, else 3000 */
  readonly graceMs?: number;
  /** The first signal. SIGKILL skips the grace. @default 'SIGTERM' */
  readonly killSignal?: NodeJS.Signals;
}

/** A handle on one task. It costs nothing, holds no state and may be made again from the id at any time. */
export class Task {
  readonly #context: SessionContext;
  /** `bgb-` and 8 hexadecimal digits. */
  readonly id: string;
  readonly sessionId: string;

  /** For `Session` only: use `session.task(id)`. */
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

  /**
   * Waits for the end of the task, or for `timeoutMs`.
   * @returns the snapshot then; its status says which it was.
   * @throws OutliveError `TASK_NOT_FOUND`, `CLOSED`; the abort signal's reason.
   */
  async wait(options: WaitOptions = {}): Promise<TaskSnapshot> {
    this.#mustBeOpen();
    const { timeoutMs, ack = true, abortSignal } = options;
    if (timeoutMs !== undefined) checkNumber('timeoutMs', timeoutMs, 0, bounds.durationMs);
    return await untilEnded(this.#context, this.id, { timeoutMs, ack, abortSignal });
  }

  /**
   * Waits for whichever comes first: a pattern in the output, a port at which the task listens, silence, the
   * end, the time limit. The end always ends the wait, and is acknowledged when it is what is reported.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `CLOSED`; the abort signal's reason.
   */
  async waitFor(options: WaitForOptions): Promise<WaitForResult> {
    this.#mustBeOpen();
    if (Object.keys(options).every((name) => endOptions.has(name)))
      return endResult(await this.wait(options));
    // Loaded when it is used: an import of the package is to cost little.
    const { waitFor } = await import('./wait-for.ts');
    return await waitFor(this.#context, this.id, options);
  }

  /**
   * Yields each line of output in which a pattern stands, those that are there and then those that come, until
   * the task has ended and all was searched. Nothing of it is kept: see {@link Task.addWatch}.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`.
   */
  async *watch(pattern: Pattern, options: WatchOptions = {}): AsyncGenerator<WatchMatch, void, undefined> {
    this.#mustBeOpen();
    const { watchTask } = await import('./watch-task.ts');
    yield* watchTask(this.#context, this.id, pattern, options);
  }

  /**
   * Opens a durable watch: from now on its matches are owed to the session, by `session.watches()`, until they
   * are acknowledged, whoever was there when they were written.
   * @returns its id.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `CLOSED`.
   */
  async addWatch(pattern: Pattern, options: AddWatchOptions = {}): Promise<string> {
    this.#mustBeOpen();
    const { addWatch } = await import('./watch-task.ts');
    return await addWatch(this.#context, this.id, pattern, options);
  }

  /**
   * Ends a durable watch: nothing more of it is owed.
   * @returns whether it was open.
   */
  async removeWatch(watchId: string): Promise<boolean> {
    this.#mustBeOpen();
    return closeWatch(this.#context, this.id, watchId);
  }

  /** The durable watches that are open. */
  watches(): WatchSummary[] {
    return watchesOf(this.#context, this.id);
  }

  /** Reads a stretch of the output, by bytes. */
  async read(options: ReadOptions = {}): Promise<OutputChunk> {
    return read(this.#context, this.id, options);
  }

  /** Reads the end of the output. Costs the same on a file of any size. */
  async tail(options: TailOptions = {}): Promise<OutputChunk> {
    return tail(this.#context, this.id, options);
  }

  /** Yields the output as it grows, and ends when the task has ended and all of it was read. */
  follow(options: FollowOptions = {}): AsyncGenerator<OutputChunk, void, undefined> {
    return follow(this.#context, this.id, options);
  }

  /**
   * Stops the task whole: its process group and everything that carries its cookie. Of a task that has
   * ended, stops the leftovers; without any nothing happens. Called again meanwhile, it hastens the stop.
   * @returns the snapshot when the stop is done. Its `leftovers` are survivors.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `CLOSED`, `INVALID_ARGUMENT`.
   */
  async kill(options: KillOptions = {}): Promise<TaskSnapshot> {
    this.#mustBeOpen();
    const killSignal = checkSignal(options.killSignal ?? 'SIGTERM');
    const graceMs = checkNumber('graceMs', options.graceMs ?? this.#grace(), 0, bounds.durationMs);
    await stopTask(this.#context, this.id, { cause: 'kill', graceMs, killSignal });
    return this.snapshot();
  }

  /**
   * Acknowledges the completion, if the task has ended.
   * @returns whether this call was the first to do so, among all processes.
   */
  async ack(): Promise<boolean> {
    this.#mustBeOpen();
    return acknowledge(this.#context, this.id);
  }

  #grace(): number {
    const log = readLog(taskPaths(this.#context.paths, this.id).log);
    return foldFacts(log?.list ?? []).spec?.graceMs ?? defaults.graceMs;
  }

  #mustBeOpen(): void {
    if (this.#context.closed) throw closed('session');
  }
}

/** A wait with these options is for the end alone. */
const endOptions: ReadonlySet<string> = new Set(['exit', 'timeoutMs', 'ack', 'abortSignal']);

function endResult(snapshot: TaskSnapshot): WaitForResult {
  const cause = isEnded(snapshot.status) ? 'exit' : 'timeout';
  return { cause, snapshot, match: null, port: null, idleMs: null };
}
