import { EventEmitter } from 'node:events';
import { cacheOf, type TaskUsage, UsageMeter } from '../engine/processes/usage.ts';
import type { SessionContext, SessionLimits, StoreContext } from '../engine/session/context.ts';
import { checkFlag, checkNumber, checkSessionId } from '../engine/session/validate.ts';
import { oldestFirst, snapshots } from '../engine/store/listing.ts';
import type { PruneResult } from '../engine/store/prune.ts';
import {
  contextWith,
  sessionContext,
  sessionContexts,
  sessionFolders,
} from '../engine/store/store-sessions.ts';
import type { MatchOptions } from '../engine/watches/watch-options.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { closed, openedToRead, taskNotFound } from '../errors/error.ts';
import { type OutliveWarning, onWarning } from '../errors/warnings.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { logPathOf } from '../tasklog/done.ts';
import { taskIdPattern } from '../tasklog/paths.ts';
import { findTask } from './find.ts';
import type { TaskInspection } from './inspect.ts';
import type { SessionOpener } from './open-session.ts';
import type { FollowPendingOptions } from './pending.ts';
import type { MatchToRead } from './pending-matches.ts';
import type { StorePruneOptions } from './prune-store.ts';
import type { Session } from './session.ts';
import { checkLimits, type SessionOptions } from './session-options.ts';
import { StoreTask } from './store-task.ts';
import type { StoreEvent, StoreWatchOptions } from './watch-store.ts';

/** Which tasks of a store are meant. */
export interface TaskFilter {
  /** Only those of this session. */
  readonly sessionId?: string;
  /** Only those that have not ended, which costs less when most have. @default false */
  readonly live?: boolean;
  /** Bytes of output in the snapshots; 0: none is read, which costs less. @default 300 */
  readonly previewBytes?: number;
  /** A measurement that has just begun: the listing reuses what it has seen of processes. */
  readonly meter?: UsageMeter;
}

const taskFilterNames: OptionNames<TaskFilter> = {
  sessionId: true,
  live: true,
  previewBytes: true,
  meter: true,
};

/** How to measure what tasks use. */
export interface UsageOptions {
  /** The time that is measured, in milliseconds. @default 100 */
  readonly sampleMs?: number;
}

const usageOptionNames: OptionNames<UsageOptions> = { sampleMs: true };

/** How a task is inspected. */
export interface InspectOptions {
  /** The session that has the task. @default all are asked */
  readonly sessionId?: string;
}

const inspectOptionNames: OptionNames<InspectOptions> = { sessionId: true };

/** What a store tells of by itself. */
export interface StoreEvents {
  /** Something failed unexpectedly in work that no caller waits for. */
  readonly warning: [warning: OutliveWarning];
}

/**
 * A folder of sessions and their tasks, which any number of processes may use at once. It emits `warning`, with an
 * {@link OutliveWarning}; when nobody listens for one, anywhere, it is a warning of the process.
 */
export class Store extends EventEmitter<StoreEvents> implements AsyncDisposable {
  readonly #context: StoreContext;
  readonly #sessions = new Map<string, Promise<Session>>();
  #opener: Promise<SessionOpener> | undefined;
  #closed = false;
  #unlisten: (() => void) | undefined;
  /** Where a task was found last: who has found one asks for its handle next. */
  #last: SessionContext | null = null;

  /** For `openStore` only. */
  constructor(context: StoreContext) {
    super();
    this.#context = context;
    // Not earlier: nothing must hold a store that has no listeners.
    (this as unknown as EventEmitter).on('newListener', (event) => {
      if (event === 'warning' && !this.#closed)
        this.#unlisten ??= onWarning((warning) => this.#tell(warning));
    });
  }

  /** The store's folder. */
  get dir(): string {
    return this.#context.dir;
  }

  /**
   * Opens a session, which is made with its first task, and takes up the tasks that are there: those that run are
   * watched, those that ended are pending. The same id gives the same object until it is closed; then options of later
   * calls are ignored.
   * @param sessionId any text of 1 to 1024 bytes without NUL.
   * @throws OutliveError `INVALID_ARGUMENT`, `STORE_UNWRITABLE`, `CLOSED`.
   */
  async session(sessionId: string, options: SessionOptions = {}): Promise<Session> {
    if (this.#closed) throw closed('store');
    if (this.#context.isReadOnly) throw openedToRead();
    checkSessionId(sessionId);
    const limits = checkLimits(options);
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return await known;
    const opening = this.#openSession(sessionId, limits);
    this.#sessions.set(sessionId, opening);
    // The caller gets its error.
    opening.catch(() => this.#sessions.delete(sessionId));
    return await opening;
  }

  /** The ids of all sessions of the store, sorted. */
  sessions(): string[] {
    return sessionFolders(this.#context.dir)
      .map(([, id]) => id)
      .sort();
  }

  /**
   * Snapshots of tasks, the oldest first; of all sessions, unless told otherwise. Adopts and settles nothing.
   * @throws OutliveError `INVALID_ARGUMENT`.
   */
  async tasks(filter: TaskFilter = {}): Promise<TaskSnapshot[]> {
    return await oldestFirst(this.#each(checkOptions('store.tasks()', filter, taskFilterNames)));
  }

  /** Yields the same snapshots one at a time, in no order, for those who need not keep them all. @throws as `tasks`. */
  async *eachTask(filter: TaskFilter = {}): AsyncGenerator<TaskSnapshot, void, undefined> {
    yield* this.#each(checkOptions('store.eachTask()', filter, taskFilterNames));
  }

  /**
   * The handle of a task, whichever session has it. No session is opened or adopted by it.
   * @throws OutliveError `TASK_NOT_FOUND`.
   */
  task(taskId: string): StoreTask {
    const context = this.#contextOf(taskId);
    if (context === null) throw taskNotFound(null, taskId);
    return new StoreTask(context, taskId);
  }

  /**
   * The snapshot of the task that people mean: by its id, by a unique beginning of it, or by its name. A name means
   * the task of the session that runs under it, else the newest that had it there, else the same in the other sessions: look
   * at its `sessionId`.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_AMBIGUOUS`.
   */
  find(reference: string, sessionId: string): TaskSnapshot {
    const context = this.#contextFor(sessionId);
    const found = findTask(this.#context, context, reference);
    this.#last = found.sessionId === sessionId ? context : this.#contextFor(found.sessionId);
    return found;
  }

  /**
   * Everything that is known of a task: snapshot, limits, files, live processes, and its life from its log.
   * @throws OutliveError `TASK_NOT_FOUND`, `INVALID_ARGUMENT`.
   */
  async inspect(taskId: string, options: InspectOptions = {}): Promise<TaskInspection> {
    const { sessionId } = checkOptions('store.inspect()', options, inspectOptionNames);
    const { inspectTask } = await import('./inspect.ts');
    const context = sessionId === undefined ? this.#contextOf(taskId) : this.#contextFor(sessionId);
    if (!taskIdPattern.test(taskId)) throw taskNotFound(sessionId ?? null, taskId);
    const found = context === null ? null : await inspectTask(context, taskId);
    if (found === null) throw taskNotFound(sessionId ?? null, taskId);
    return found;
  }

  /**
   * CPU and memory of the whole trees of tasks, measured over `sampleMs`. Tasks without a live process of this
   * machine are left out.
   */
  async usage(taskIds: readonly string[], options: UsageOptions = {}): Promise<Map<string, TaskUsage>> {
    const { sampleMs = 100 } = checkOptions('store.usage()', options, usageOptionNames);
    checkNumber('sampleMs', sampleMs, 1, bounds.durationMs);
    return await (await this.meter()).read(taskIds, sampleMs);
  }

  /**
   * The pending ends of a session, the oldest first. Nothing is settled or acknowledged: for that, open the session.
   * @throws OutliveError `INVALID_ARGUMENT`.
   */
  async pending(sessionId: string): Promise<TaskSnapshot[]> {
    const { pendingIn } = await import('./pending.ts');
    return await pendingIn(this.#contextFor(sessionId));
  }

  /**
   * Yields the pending ends of a session, and then those that come, each once, until aborted. Nothing is settled or
   * acknowledged.
   * @throws OutliveError `INVALID_ARGUMENT`.
   */
  async *followPending(
    sessionId: string,
    options: FollowPendingOptions = {},
  ): AsyncGenerator<TaskSnapshot, void, undefined> {
    const { followPendingIn } = await import('./pending.ts');
    yield* followPendingIn(this.#contextFor(sessionId), options);
  }

  /**
   * Yields the matches of durable watches that are pending for a session, and then those that come. None is acknowledged.
   * @throws OutliveError `INVALID_ARGUMENT`.
   */
  async *pendingMatches(
    sessionId: string,
    options: MatchOptions = {},
  ): AsyncGenerator<MatchToRead, void, undefined> {
    const { pendingMatchesIn } = await import('./pending-matches.ts');
    const toRead = { ...this.#context, isReadOnly: true };
    yield* pendingMatchesIn(sessionContext(toRead, checkSessionId(sessionId)), options);
  }

  /**
   * Yields what there is, and then each change in the store, by any process. It adopts, settles, removes and signals nothing,
   * and changes nothing in the store.
   * @throws OutliveError `INVALID_ARGUMENT`, `READ_FAILED`.
   */
  async *watch(options: StoreWatchOptions = {}): AsyncGenerator<StoreEvent, void, undefined> {
    const { watchStore } = await import('./watch-store.ts');
    yield* watchStore(this.#context, options);
  }

  /** Begins to measure what the trees of tasks use; {@link UsageMeter.read} ends it. */
  async meter(): Promise<UsageMeter> {
    return await UsageMeter.start(this.#context.system, () => this.#meant(undefined));
  }

  /** Removes ended, acknowledged tasks; of all sessions, unless told otherwise. */
  async prune(options: StorePruneOptions = {}): Promise<PruneResult> {
    const { pruneStore } = await import('./prune-store.ts');
    return await pruneStore(this.#context, options, (sessionId) => this.#meant(sessionId));
  }

  /** Lets everything go. Tasks run on, and what is pending stays pending. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const sessions = await Promise.allSettled([...this.#sessions.values()]);
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.close();
    const opener = await this.#opener?.catch(() => undefined);
    opener?.close();
    this.#unlisten?.();
  }

  /** The same as {@link Store.close}: tasks run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#each(filter: TaskFilter): AsyncGenerator<TaskSnapshot, void, undefined> {
    const { sessionId, live = false, previewBytes = defaults.previewBytes, meter } = filter;
    checkFlag('live', live);
    checkNumber('previewBytes', previewBytes, 0, bounds.previewBytes);
    const sight = meter === undefined ? null : cacheOf(meter);
    for (const context of this.#meant(sessionId)) yield* snapshots(context, { live, previewBytes, sight });
  }

  /** A caller that only reads a store does not load the supervising code, which is most of the program. */
  async #openSession(sessionId: string, limits: SessionLimits): Promise<Session> {
    this.#opener ??= import('./open-session.ts').then(
      ({ SessionOpener }) => new SessionOpener(this.#context),
    );
    const opener = await this.#opener;
    return await opener.open(sessionId, limits, () => this.#sessions.delete(sessionId));
  }

  /** Those of the process as a whole are told by every store. */
  #tell(warning: OutliveWarning): boolean {
    return (warning.dir === null || warning.dir === this.dir) && this.emit('warning', warning);
  }

  #contextOf(taskId: string): SessionContext | null {
    if (!taskIdPattern.test(taskId)) return null;
    if (this.#last === null || logPathOf(this.#last.paths, taskId) === null)
      this.#last = contextWith(this.#context, taskId);
    return this.#last;
  }

  /** A session that there may be. */
  #contextFor(sessionId: string): SessionContext {
    return sessionContext(this.#context, checkSessionId(sessionId));
  }

  /** One session is found by the hash of its id; `undefined`: all are meant. */
  #meant(sessionId: string | undefined): Iterable<SessionContext> {
    return sessionId === undefined ? sessionContexts(this.#context) : [this.#contextFor(sessionId)];
  }
}
