import { existsSync } from 'node:fs';
import { checkNumber, checkSessionId } from '../engine/checks.ts';
import type { SessionContext, SessionLimits, StoreContext } from '../engine/context.ts';
import { snapshots } from '../engine/listing.ts';
import { takeSnapshot } from '../engine/observe.ts';
import { sessionContexts, sessionFolders } from '../engine/store-sessions.ts';
import { closed, taskNotFound } from '../errors/error.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { taskIdPattern, taskPaths } from '../tasklog/paths.ts';
import { findTask } from './find.ts';
import type { TaskInspection } from './inspect.ts';
import type { SessionOpener } from './open-session.ts';
import type { PruneOptions, PruneResult } from './prune.ts';
import type { Session } from './session.ts';
import { sightOf, type TaskUsage, UsageMeter } from './usage.ts';

/** How to open a session. */
export interface SessionOptions {
  /** Running tasks the session may have when this process spawns. @default 64 */
  readonly maxRunning?: number;
  /** Ended and acknowledged tasks are removed after so many milliseconds; `null`: never. @default 7 days */
  readonly retentionMs?: number | null;
  /** Adopted tasks that have run this long are stopped; `null`: none is. @default null */
  readonly staleAfterMs?: number | null;
  /** Bytes of output in snapshots and completions. @default 300 */
  readonly previewBytes?: number;
}

/** Which tasks of a store are meant. */
export interface TaskFilter {
  /** Only those of this session. */
  readonly sessionId?: string;
  /** Only those that have not ended, which costs less when most have. @default false */
  readonly live?: boolean;
  /** Bytes of output in the snapshots; 0: none is read, which costs less. @default 300 */
  readonly previewBytes?: number;
  /** A measurement that has just begun: what it has seen of processes is not looked at again. */
  readonly meter?: UsageMeter;
}

/** What to remove from a store. */
export interface StorePruneOptions extends PruneOptions {
  /** Only of this session. */
  readonly sessionId?: string;
}

/** A folder of sessions and their tasks, which any number of processes may use at once. */
export class Store implements AsyncDisposable {
  readonly #context: StoreContext;
  readonly #sessions = new Map<string, Promise<Session>>();
  #opener: Promise<SessionOpener> | undefined;
  #closed = false;

  /** For `openStore` only. */
  constructor(context: StoreContext) {
    this.#context = context;
  }

  /** The store's folder. */
  get dir(): string {
    return this.#context.dir;
  }

  /**
   * Opens a session, made if it is new, and takes up the tasks that are there: those that run are watched,
   * those that ended are owed. The same id gives the same object until it is closed; then options of later
   * calls are ignored.
   * @param sessionId any text of 1 to 1024 bytes without NUL.
   * @throws OutliveError `INVALID_ARGUMENT`, `STORE_UNWRITABLE`, `CLOSED`.
   */
  async session(sessionId: string, options: SessionOptions = {}): Promise<Session> {
    if (this.#closed) throw closed('store');
    checkSessionId(sessionId);
    const limits = checkLimits(options);
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return await known;
    const opening = this.#openSession(sessionId, limits);
    this.#sessions.set(sessionId, opening);
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
    const { sessionId, live = false, previewBytes = defaults.previewBytes, meter } = filter;
    checkNumber('previewBytes', previewBytes, 0, bounds.previewBytes);
    const sight = meter === undefined ? null : sightOf(meter);
    const found: TaskSnapshot[] = [];
    for (const context of this.#contexts()) {
      if (sessionId !== undefined && context.sessionId !== sessionId) continue;
      found.push(...(await snapshots(context, { live, previewBytes, sight })));
    }
    return found.sort((a, b) => a.createdAt - b.createdAt);
  }

  /**
   * The snapshot of a task, whichever session has it.
   * @throws OutliveError `TASK_NOT_FOUND`.
   */
  task(taskId: string): TaskSnapshot {
    if (taskIdPattern.test(taskId)) {
      for (const context of sessionContexts(this.#context)) {
        const snapshot = takeSnapshot(context, taskId);
        if (snapshot !== null) return snapshot;
      }
    }
    throw taskNotFound('of the store', taskId);
  }

  /**
   * The snapshot of the task that people mean: by its id, by a unique beginning of it, or by its name. Ids are
   * looked for in the whole store; names only in the session, where a name means the task that runs with it,
   * and else the newest.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_AMBIGUOUS`.
   */
  find(reference: string, sessionId: string): TaskSnapshot {
    return findTask(this.#contexts(), sessionId, reference);
  }

  /**
   * Everything that is known of a task: snapshot, limits, files, live processes, and its life from its log.
   * @throws OutliveError `TASK_NOT_FOUND`.
   */
  async inspect(taskId: string): Promise<TaskInspection> {
    const { inspectTask } = await import('./inspect.ts');
    const context = this.#contextOf(taskId);
    const found = context === null ? null : await inspectTask(context, taskId);
    if (found === null) throw taskNotFound('of the store', taskId);
    return found;
  }

  /**
   * CPU and memory of the whole trees of tasks, measured over `sampleMs`. Tasks without a live process of this
   * machine are left out.
   */
  async usage(taskIds: readonly string[], { sampleMs = 100 } = {}): Promise<Map<string, TaskUsage>> {
    checkNumber('sampleMs', sampleMs, 1, bounds.durationMs);
    return await (await this.meter()).read(taskIds, sampleMs);
  }

  /** Begins to measure what the trees of tasks use; {@link UsageMeter.read} ends it. */
  async meter(): Promise<UsageMeter> {
    return await UsageMeter.start(this.#context.system, this.#contexts());
  }

  /** Removes ended, acknowledged tasks; of all sessions, unless told otherwise. */
  async prune(options: StorePruneOptions = {}): Promise<PruneResult> {
    const { prune } = await import('./prune.ts');
    const { sessionId, ...what } = options;
    const meant = this.#contexts().filter(
      (context) => sessionId === undefined || context.sessionId === sessionId,
    );
    return await prune(meant, what);
  }

  /** Lets everything go. Tasks run on, and what is owed stays owed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const sessions = await Promise.allSettled([...this.#sessions.values()]);
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.close();
    const opener = await this.#opener?.catch(() => undefined);
    opener?.close();
  }

  /** The same as {@link Store.close}: tasks run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Who only looks at a store needs none of what supervises tasks, which is most of the program. */
  async #openSession(sessionId: string, limits: SessionLimits): Promise<Session> {
    this.#opener ??= import('./open-session.ts').then(
      ({ SessionOpener }) => new SessionOpener(this.#context),
    );
    const opener = await this.#opener;
    return await opener.open(sessionId, limits, () => this.#sessions.delete(sessionId));
  }

  #contextOf(taskId: string): SessionContext | null {
    if (!taskIdPattern.test(taskId)) return null;
    return this.#contexts().find(({ paths }) => existsSync(taskPaths(paths, taskId).log)) ?? null;
  }

  #contexts(): SessionContext[] {
    return sessionContexts(this.#context);
  }
}

function checkLimits(options: SessionOptions): SessionLimits {
  const {
    maxRunning = defaults.maxRunning,
    retentionMs = defaults.retentionMs,
    staleAfterMs = null,
    previewBytes = defaults.previewBytes,
  } = options;
  const duration = (name: string, value: number | null): number | null =>
    value === null ? null : checkNumber(name, value, 0, bounds.durationMs);
  return {
    maxRunning: checkNumber('maxRunning', maxRunning, 1),
    retentionMs: duration('retentionMs', retentionMs),
    staleAfterMs: duration('staleAfterMs', staleAfterMs),
    previewBytes: checkNumber('previewBytes', previewBytes, 0, bounds.previewBytes),
  };
}
