import {
  type Completion,
  type CompletionsOptions,
  completionOf,
  completions,
  pendingNow,
  takePending,
} from '../engine/completions/completions.ts';
import { stopAll } from '../engine/end/stop-all.ts';
import { retryUnwritten } from '../engine/session/append.ts';
import { background } from '../engine/session/background.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { tellForgotten } from '../engine/session/forgotten.ts';
import { OpenMark } from '../engine/session/open-mark.ts';
import { putAllAway } from '../engine/session/put-away.ts';
import { readRecord } from '../engine/session/read-record.ts';
import { checkAbortSignal, checkBytes, checkFlag, checkNumber } from '../engine/session/validate.ts';
import type { Command } from '../engine/spawn/spawn-request.ts';
import { oldestFirst, snapshots } from '../engine/store/listing.ts';
import type { PruneOptions, PruneResult } from '../engine/store/prune.ts';
import { adopt } from '../engine/supervise/adopt.ts';
import { SessionWatch } from '../engine/supervise/watch.ts';
import {
  type WaitForOptions,
  type WaitForResult,
  waitForOptionNames,
} from '../engine/wait/wait-for-options.ts';
import type { WaitAnyResult } from '../engine/wait/wait-many.ts';
import type { PendingMatch } from '../engine/watches/session-matches.ts';
import type { MatchOptions } from '../engine/watches/watch-options.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { closed, taskNotFound } from '../errors/error.ts';
import { bounds, defaults } from '../model/limits.ts';
import { isOver, type TaskSnapshot } from '../model/snapshot.ts';
import { taskIdPattern } from '../tasklog/paths.ts';
import { findTask } from './find.ts';
import type { ScopedTask } from './scoped-task.ts';
import { startTask } from './start-task.ts';
import { Task } from './task.ts';
import { type RunOptions, type RunResult, runOptionNames, type ScopedSpawnOptions } from './task-options.ts';

/** How to stop all tasks of a session. */
export interface ShutdownOptions {
  /** Between the first signal and SIGKILL, in milliseconds. @default what was said at the spawn of each task, else 3000 */
  readonly graceMs?: number;
}

/** How to end a session. */
export interface EndOptions {
  /** Between the first signal and SIGKILL, in milliseconds. @default what was said at the spawn of each task, else 3000 */
  readonly graceMs?: number;
}

const endOptionNames: OptionNames<ShutdownOptions & EndOptions> = { graceMs: true };

const runWaitMs = 10_000;

/** What a session works with, for those of this package who do what users of it need not. */
export let contextOf: (session: Session) => SessionContext;

/**
 * One agent conversation: it owns tasks and is told of their completions. Closing it leaves the tasks
 * running.
 */
export class Session implements AsyncDisposable {
  readonly #context: SessionContext;
  readonly #watch: SessionWatch;
  readonly #onClose: () => void;
  #mark: OpenMark | undefined;

  static {
    contextOf = (session) => session.#context;
  }

  /** For `Store` only: use `store.session(id)`. */
  constructor(context: SessionContext, onClose: () => void) {
    this.#context = context;
    this.#watch = new SessionWatch(context);
    this.#onClose = onClose;
  }

  /** The session's id. */
  get id(): string {
    return this.#context.sessionId;
  }

  /** For `Store` only: takes up the tasks that are there. */
  async open(): Promise<this> {
    this.#watch.start();
    this.#mark = new OpenMark(this.#context);
    try {
      await adopt(this.#context);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  /**
   * Starts a command in the background: a text for a shell, or a program and its arguments without one. When it returns, the record of the task is on disk.
   * @throws OutliveError `INVALID_*`, `SHELL_NOT_FOUND`, `NAME_TAKEN`, `NOT_STOPPED`, `TASK_LIMIT`, `STORE_UNWRITABLE`, `SPAWN_FAILED`, `CLOSED`.
   */
  spawn(
    command: Command,
    options: ScopedSpawnOptions & { readonly stopAtEndOfScope: true },
  ): Promise<ScopedTask>;
  spawn(command: Command, options?: ScopedSpawnOptions): Promise<Task>;
  async spawn(command: Command, options: ScopedSpawnOptions = {}): Promise<Task> {
    return await startTask(this.#context, command, options, null);
  }

  /**
   * Runs a command in the foreground for a while, then lets it go on in the background. An end in time is acknowledged,
   * unless `ack` is `false`.
   * @throws OutliveError as `spawn` does; the abort signal's reason.
   */
  async run(command: Command, options: RunOptions = {}): Promise<RunResult> {
    const {
      waitMs = runWaitMs,
      maxBytes = defaults.readBytes,
      ack = true,
      abortSignal,
      ...rest
    } = checkOptions('session.run()', options, runOptionNames);
    checkNumber('waitMs', waitMs, 0, bounds.durationMs);
    checkBytes('maxBytes', maxBytes, 1);
    checkFlag('ack', ack);
    checkAbortSignal(abortSignal)?.throwIfAborted();
    const task = await this.spawn(command, rest);
    const snapshot = await task.wait({ timeoutMs: waitMs, ack, ...(abortSignal && { abortSignal }) });
    const output = await task.tail({ maxBytes });
    const answer = { task, output };
    return isOver(snapshot) ? { ...answer, snapshot, ended: true } : { ...answer, snapshot, ended: false };
  }

  /**
   * The handle of a task of this session.
   * @throws OutliveError `TASK_NOT_FOUND` when there is none, also when another session has it.
   */
  task(taskId: string): Task {
    const isThere = taskIdPattern.test(taskId) && (readRecord(this.#context, taskId)?.bytes ?? 0) > 0;
    if (!isThere) throw taskNotFound(this.id, taskId);
    return new Task(this.#context, taskId);
  }

  /**
   * The snapshot of the task of this session that people mean: by its id, by a unique beginning of it, or by its name.
   * A name means the task that runs with it, and else the newest.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_AMBIGUOUS`.
   */
  find(reference: string): TaskSnapshot {
    return findTask(null, this.#context, reference);
  }

  /** Snapshots of all tasks of this session, the oldest first. */
  async tasks(): Promise<TaskSnapshot[]> {
    return await oldestFirst(snapshots(this.#context));
  }

  /**
   * Waits until something of the kind that `task.waitFor` waits for happens to one of some tasks. Only what is
   * reported is acknowledged.
   * @throws OutliveError as `task.waitFor` does.
   */
  async waitAny(tasks: Iterable<Task | string>, options: WaitForOptions = {}): Promise<WaitAnyResult> {
    this.#mustBeOpen();
    checkOptions('session.waitAny()', options, waitForOptionNames);
    const { waitAny } = await import('../engine/wait/wait-many.ts');
    return await waitAny(this.#context, this.#idsOf(tasks), options);
  }

  /**
   * Waits until it happens to each of some tasks. Their ends are acknowledged when all of them are there.
   * @returns a result for each task, in their order.
   * @throws OutliveError as `task.waitFor` does.
   */
  async waitAll(tasks: Iterable<Task | string>, options: WaitForOptions = {}): Promise<WaitForResult[]> {
    this.#mustBeOpen();
    checkOptions('session.waitAll()', options, waitForOptionNames);
    const { waitAll } = await import('../engine/wait/wait-many.ts');
    return await waitAll(this.#context, this.#idsOf(tasks), options);
  }

  /** Yields every completion that is pending, and then each as it comes. */
  completions(options: CompletionsOptions = {}): AsyncGenerator<Completion, void, undefined> {
    this.#mustBeOpen();
    return completions(this.#context, options);
  }

  /**
   * Yields every match of the durable watches of this session's tasks that is pending, and then each as it comes;
   * see `task.addWatch`.
   */
  async *matches(options: MatchOptions = {}): AsyncGenerator<PendingMatch, void, undefined> {
    this.#mustBeOpen();
    const { sessionMatches } = await import('../engine/watches/session-matches.ts');
    yield* sessionMatches(this.#context, options);
  }

  /** The pending completions, without taking them, the oldest end first. */
  async pending(): Promise<Completion[]> {
    this.#mustBeOpen();
    return (await pendingNow(this.#context)).map((snapshot) => completionOf(this.#context, snapshot));
  }

  /** Takes all pending completions and acknowledges them: what another process acknowledged first is not among it. */
  async takePending(): Promise<TaskSnapshot[]> {
    this.#mustBeOpen();
    return await takePending(this.#context);
  }

  /**
   * Stops every running task of the session on this machine, and returns when their trees are gone. Nothing is
   * acknowledged: each end stays pending.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<TaskSnapshot[]> {
    this.#mustBeOpen();
    const { graceMs } = checkOptions('session.shutdown()', options, endOptionNames);
    return await stopAll(this.#context, 'shutdown', () => true, graceMs);
  }

  /**
   * Says that the conversation is over: stops the tasks that were bound to the session (`bindTo: 'session'`), and
   * returns when their trees are gone. The others run on, and the session stays open. Nothing is acknowledged: each end
   * stays pending.
   */
  async end(options: EndOptions = {}): Promise<TaskSnapshot[]> {
    this.#mustBeOpen();
    const { graceMs } = checkOptions('session.end()', options, endOptionNames);
    return await stopAll(this.#context, 'bound', ({ spec }) => spec?.bindTo === 'session', graceMs);
  }

  /** Removes ended tasks whose completion was acknowledged. */
  async prune(options: PruneOptions = {}): Promise<PruneResult> {
    const { pruneRead } = await import('./prune-store.ts');
    return await pruneRead([this.#context], options);
  }

  /**
   * Lets the session go; its tasks run on. Waits for stops that are in progress here. Iterations end, and
   * those who wait for a task get the error `CLOSED`.
   */
  async close(): Promise<void> {
    if (this.#context.closed) return;
    await Promise.all([...this.#context.stops]);
    const again = [...this.#context.takeBacks].map((takeBack) => takeBack());
    for (const one of again) background(this.#context, 'rolling back a spawn', one);
    await Promise.allSettled(again);
    retryUnwritten(this.#context);
    tellForgotten(this.#context);
    putAllAway(this.#context);
    this.#context.closed = true;
    this.#watch.close();
    this.#mark?.close();
    for (const terminal of [...this.#context.terminals.values()]) terminal[Symbol.dispose]();
    this.#context.enforcer?.close();
    for (const live of this.#context.live.values()) live.reconcileAgain?.cancel();
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

  #idsOf(tasks: Iterable<Task | string>): string[] {
    return [...tasks].map((task) => this.task(typeof task === 'string' ? task : task.id).id);
  }

  #mustBeOpen(): void {
    if (this.#context.closed) throw closed('session');
  }
}
