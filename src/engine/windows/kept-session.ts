import { type FSWatcher, statSync, watch } from 'node:fs';
import { pidExists } from '../../platform/identity.ts';
import { taskIdOfEvent } from '../../tasklog/paths.ts';
import { grantTurns } from '../queue/queue.ts';
import { retryUnwritten } from '../session/append.ts';
import { report, unwatched } from '../session/background.ts';
import type { LiveTask, SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { exceedsKeep } from '../store/cut-output.ts';
import { taskIds } from '../store/listing.ts';
import { finishRemovals } from '../store/sweep.ts';
import { endDependents } from '../supervise/after.ts';
import { reconcile } from '../supervise/reconcile.ts';
import { WindowsEnforcer } from './enforcer.ts';

/** Every this many rounds it checks a live task whatever its files say. */
const fullLookEvery = 15;

/** Times of folders are exact to a few milliseconds: one that was changed just now may change again unseen. */
const folderTimeMs = 100;

/**
 * A session as the keeper sees it: its live tasks, checked from time to time. It never acknowledges and never delivers,
 * and it is slow: a live supervisor has done the work long before.
 */
export class KeptSession {
  readonly #context: SessionContext;
  /** Tasks that are live and in our hands, and those that ended and need nothing. */
  readonly #known = new Set<string>();
  readonly #dirty = new Set<string>();
  #watcher: FSWatcher | undefined;
  #folderTime = -1;
  #rounds = 0;

  constructor(context: SessionContext) {
    this.#context = context;
    context.enforcer = new WindowsEnforcer(context, null);
  }

  /** Live tasks, and facts that are not on disk yet: reasons to stay. */
  get cares(): number {
    return this.#context.live.size + this.#context.unwritten.size;
  }

  /** Checks new tasks, and live tasks to which something has happened. */
  async round(): Promise<void> {
    const context = this.#context;
    if (this.#rounds === 0) finishRemovals(context);
    this.#rounds += 1;
    retryUnwritten(context);
    await this.#takeNew();
    // From the first look on it is known how many run, and so who may have a turn.
    context.isAdopted = true;
    this.#watchLogs();
    for (const taskId of [...context.unreconciled]) await reconcile(context, taskId);
    for (const live of [...context.live.values()]) {
      if (this.#needsLook(live)) await reconcile(context, live.id);
    }
    context.enforcer?.poll();
    grantTurns(context);
    endDependents(context);
    // For consumers, of whom there are none here.
    context.pending.clear();
    context.recent.clear();
  }

  /** The folder of the session was removed: what waited for its turn in it is ended. */
  async abandon(): Promise<void> {
    for (const live of [...this.#context.live.values()]) await reconcile(this.#context, live.id);
    this.close();
  }

  /** Lets everything go, when another keeper goes on. */
  close(): void {
    this.#context.closed = true;
    this.#context.enforcer?.close();
    this.#watcher?.close();
  }

  async #takeNew(): Promise<void> {
    const context = this.#context;
    const { mtimeMs } = statSync(context.paths.tasks, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    if (mtimeMs === this.#folderTime) return;
    let again = Math.abs(Date.now() - mtimeMs) < folderTimeMs;
    for (const taskId of taskIds(context)) {
      if (this.#known.has(taskId)) continue;
      const isRead = await this.#take(taskId);
      if (isRead) this.#known.add(taskId);
      else again = true;
    }
    this.#folderTime = again ? -1 : mtimeMs;
  }

  /** False when nothing was written to its log yet. */
  async #take(taskId: string): Promise<boolean> {
    const observed = observe(this.#context, taskId);
    if (observed === null) return false;
    const { facts, decision } = observed;
    const isDone = decision.state === 'ended' && facts.openStop === undefined;
    if (!isDone || exceedsKeep(facts)) await reconcile(this.#context, taskId);
    return true;
  }

  #needsLook(live: LiveTask): boolean {
    if (live.stop !== null) return false;
    const isDirty = this.#dirty.delete(live.id);
    const isDue = live.stopSeenAt !== null || live.shim === null || this.#rounds % fullLookEvery === 0;
    return isDirty || isDue || !pidExists(live.shim?.pid ?? 0);
  }

  /** Learns that something was appended to a log, which one task in a thousand does in a while. */
  #watchLogs(): void {
    const isWanted = this.#context.live.size > 0;
    if (isWanted === (this.#watcher !== undefined)) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (!isWanted) return;
    try {
      this.#watcher = watch(this.#context.paths.tasks, { persistent: false }, (_event, name) => {
        const taskId = name === null ? null : taskIdOfEvent(name);
        if (taskId !== null && this.#context.live.has(taskId)) this.#dirty.add(taskId);
      });
      // Without it the full looks do, a little later.
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch (error) {
      // No watches left: as above.
      report(this.#context, 'watching a session', error, { codes: unwatched });
    }
  }
}
