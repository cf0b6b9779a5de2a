import { adopt } from '../engine/adopt.ts';
import { retryUnwritten } from '../engine/append.ts';
import { background } from '../engine/background.ts';
import { checkBytes, checkNumber } from '../engine/checks.ts';
import type { SessionContext } from '../engine/context.ts';
import { snapshots } from '../engine/listing.ts';
import { observe } from '../engine/observe.ts';
import { spawnTask } from '../engine/spawn.ts';
import { checkSpawn, type SpawnOptions } from '../engine/spawn-request.ts';
import { SessionWatch } from '../engine/watch.ts';
import { closed, taskNotFound } from '../errors/error.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { taskIdPattern } from '../tasklog/paths.ts';
import {
  type Completion,
  type CompletionsOptions,
  completionOf,
  completions,
  drain,
  owedNow,
} from './completions.ts';
import type { OutputChunk } from './output.ts';
import { type PruneOptions, type PruneResult, prune } from './prune.ts';
import type { OwedMatch } from './session-watches.ts';
import { stopAll } from './stop-all.ts';
import { Task } from './task.ts';
import type { WaitForOptions, WaitForResult } from './wait-for-options.ts';
import type { WaitAnyResult } from './wait-many.ts';
import type { MatchOptions } from './watch-options.ts';

/** How to run a command in the foreground for a while. */
export interface RunOptions extends SpawnOptions {
  /** So long the call waits for the end; then the task goes on in the background. @default 10000 */
  readonly waitMs?: number;
  /** Bytes of output that come with the answer. @default 65536 */
  readonly maxBytes?: number;
  /** Ends the waiting with the signal's reason as error; the task goes on. */
  readonly abortSignal?: AbortSignal;
}

/** What `run` answers: the result, or a task that goes on. */
export interface RunResult {
  readonly task: Task;
  readonly snapshot: TaskSnapshot;
  /** Whether it ended in time. Then its completion counts as delivered. */
  readonly ended: boolean;
  /** The end of what it has written so far. */
  readonly output: OutputChunk;
}

/** How to stop all tasks of a session. */
export interface ShutdownOptions {
  /** Between the first signal and SIGKILL, in milliseconds. @default 3000 */
  readonly graceMs?: number;
}

/** How to end a session. */
export interface EndOptions {
  /** Between the first signal and SIGKILL, in milliseconds. @default 3000 */
  readonly graceMs?: number;
}

const runWaitMs = 10_000;

/**
 * One agent conversation: it owns tasks and is told of their completions. Closing it leaves the tasks
 * running.
 */
export class Session implements AsyncDisposable {
  readonly #context: SessionContext;
  readonly #watch: SessionWatch;
  readonly #onClose: () => void;
  readonly #sweep: NodeJS.Timeout;

  /** For `Store` only: use `store.session(id)`. */
  constructor(context: SessionContext, onClose: () => void) {
    this.#context = context;
    this.#watch = new SessionWatch(context);
    this.#onClose = onClose;
    this.#sweep = setInterval(() => this.#retain(), sweepEveryMs);
    this.#sweep.unref();
  }

  /** The session's id. */
  get id(): string {
    return this.#context.sessionId;
  }

  /** For `Store` only: takes up the tasks that are there. */
  async open(): Promise<this> {
    this.#watch.start();
    try {
      await adopt(this.#context);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  /**
   * Starts a command in the background. When it returns, the record of the task is on disk.
   * @throws OutliveError `INVALID_*`, `SHELL_NOT_FOUND`, `TASK_LIMIT`, `STORE_UNWRITABLE`, `SPAWN_FAILED`, `CLOSED`.
   */
  async spawn(command: string, options: SpawnOptions = {}): Promise<Task> {
    this.#mustBeOpen();
    const request = checkSpawn(command, options);
    const taskId = await spawnTask(this.#context, request);
    return new Task(this.#context, taskId);
  }

  /**
   * Runs a command in the foreground for a while, then lets it go on in the background.
   * @throws OutliveError as `spawn` does; the abort signal's reason.
   */
  async run(command: string, options: RunOptions = {}): Promise<RunResult> {
    const { waitMs = runWaitMs, maxBytes = defaults.readBytes, abortSignal, ...rest } = options;
    checkNumber('waitMs', waitMs, 0, bounds.durationMs);
    checkBytes('maxBytes', maxBytes, 1);
    abortSignal?.throwIfAborted();
    const task = await this.spawn(command, rest);
    const snapshot = await task.wait({ timeoutMs: waitMs, ...(abortSignal && { abortSignal }) });
    const output = await task.tail({ maxBytes });
    return { task, snapshot, ended: isEnded(snapshot.status), output };
  }

  /**
   * The handle of a task of this session.
   * @throws OutliveError `TASK_NOT_FOUND` when there is none, also when another session has it.
   */
  task(taskId: string): Task {
    const isThere = taskIdPattern.test(taskId) && observe(this.#context, taskId) !== null;
    if (!isThere) throw taskNotFound(this.id, taskId);
    return new Task(this.#context, taskId);
  }

  /** Snapshots of all tasks of this session, the oldest first. */
  async tasks(): Promise<TaskSnapshot[]> {
    return (await snapshots(this.#context)).sort((a, b) => a.createdAt - b.createdAt);
  }

  /**
   * Waits until something of the kind that `task.waitFor` waits for happens to one of some tasks. Only what is
   * reported is acknowledged.
   * @throws OutliveError as `task.waitFor` does.
   */
  async waitAny(tasks: Iterable<Task | string>, options: WaitForOptions = {}): Promise<WaitAnyResult> {
    this.#mustBeOpen();
    const { waitAny } = await import('./wait-many.ts');
    return await waitAny(this.#context, this.#idsOf(tasks), options);
  }

  /**
   * Waits until it happens to each of some tasks. Their ends are acknowledged when all of them are there.
   * @returns a result for each task, in their order.
   * @throws OutliveError as `task.waitFor` does.
   */
  async waitAll(tasks: Iterable<Task | string>, options: WaitForOptions = {}): Promise<WaitForResult[]> {
    this.#mustBeOpen();
    const { waitAll } = await import('./wait-many.ts');
    return await waitAll(this.#context, this.#idsOf(tasks), options);
  }

  /** Yields every completion that is owed, and then each as it comes. */
  completions(options: CompletionsOptions = {}): AsyncGenerator<Completion, void, undefined> {
    this.#mustBeOpen();
    return completions(this.#context, options);
  }

  /**
   * Yields every match of the durable watches of this session's tasks that is owed, and then each as it comes;
   * see `task.addWatch`.
   */
  async *watches(options: MatchOptions = {}): AsyncGenerator<OwedMatch, void, undefined> {
    this.#mustBeOpen();
    const { sessionWatches } = await import('./session-watches.ts');
    yield* sessionWatches(this.#context, options);
  }

  /** What is owed now, without taking it, the oldest end first. */
  async pending(): Promise<Completion[]> {
    this.#mustBeOpen();
    return owedNow(this.#context).map((snapshot) => completionOf(this.#context, snapshot));
  }

  /** Takes all that is owed, acknowledged: what another process acknowledged first is not among it. */
  async drain(): Promise<TaskSnapshot[]> {
    this.#mustBeOpen();
    return drain(this.#context);
  }

  /** Stops every task of the session that runs on this machine, and returns when their trees are gone. */
  async shutdown(options: ShutdownOptions = {}): Promise<TaskSnapshot[]> {
    this.#mustBeOpen();
    return await stopAll(this.#context, 'shutdown', () => true, options.graceMs);
  }

  /**
   * Says that the conversation is over: stops the tasks that were bound to the session (`bindTo: 'session'`), and
   * returns when their trees are gone. The others run on, and the session stays open.
   */
  async end(options: EndOptions = {}): Promise<TaskSnapshot[]> {
    this.#mustBeOpen();
    return await stopAll(this.#context, 'bound', ({ spec }) => spec?.bindTo === 'session', options.graceMs);
  }

  /** Removes ended tasks whose completion was acknowledged. */
  async prune(options: PruneOptions = {}): Promise<PruneResult> {
    return await prune([this.#context], options);
  }

  /**
   * Lets the session go; its tasks run on. Waits for stops that are in progress here. Iterations end, and
   * those who wait for a task get the error `CLOSED`.
   */
  async close(): Promise<void> {
    if (this.#context.closed) return;
    await Promise.all([...this.#context.stops]);
    await Promise.allSettled([...this.#context.takeBacks].map((again) => again()));
    retryUnwritten(this.#context);
    this.#context.closed = true;
    clearInterval(this.#sweep);
    this.#watch.close();
    this.#context.enforcer?.close();
    for (const live of this.#context.live.values()) live.relook?.cancel();
    this.#context.live.clear();
    for (const waiters of [...this.#context.waiters.values()])
      for (const waiter of [...waiters]) waiter.ended(null);
    for (const consumer of [...this.#context.consumers]) consumer.stop();
    for (const wake of [...this.#context.watchListeners]) wake();
    for (const listeners of [...this.#context.listeners.values()]) for (const wake of [...listeners]) wake();
    this.#onClose();
  }

  /** The same as {@link Session.close}: tasks run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #retain(): void {
    const { retentionMs: olderThanMs } = this.#context.limits;
    if (olderThanMs !== null) background(prune([this.#context], { olderThanMs }));
  }

  #idsOf(tasks: Iterable<Task | string>): string[] {
    return [...tasks].map((task) => this.task(typeof task === 'string' ? task : task.id).id);
  }

  #mustBeOpen(): void {
    if (this.#context.closed) throw closed('session');
  }
}

/** How often an open session applies its retention. */
const sweepEveryMs = 3_600_000;
