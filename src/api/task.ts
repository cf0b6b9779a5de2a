import type { SessionContext } from '../engine/context.ts';
import { acknowledge } from '../engine/deliver.ts';
import { takeSnapshot } from '../engine/observe.ts';
import { checkNumber } from '../engine/spawn-request.ts';
import { stopTask } from '../engine/stop.ts';
import { foldFacts } from '../model/fold.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { readLog } from '../tasklog/log.ts';
import { taskPaths } from '../tasklog/paths.ts';
import { closed, taskNotFound } from './errors.ts';
import { checkSignal } from './kill-signal.ts';
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
import { waitFor } from './wait-for.ts';
import type { WaitForOptions, WaitForResult } from './wait-for-options.ts';

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
    return await waitFor(this.#context, this.id, options);
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
