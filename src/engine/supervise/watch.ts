import { type FSWatcher, readdirSync, type Stats, statSync, watch } from 'node:fs';
import { pidExists } from '../../platform/identity.ts';
import { taskIdOfEvent } from '../../tasklog/paths.ts';
import { onBeat } from '../../util/beat.ts';
import { grantTurns } from '../queue/queue.ts';
import { retryUnwritten } from '../session/append.ts';
import { guarded, report, unwatched } from '../session/background.ts';
import { changed } from '../session/changes.ts';
import type { LiveTask, SessionContext } from '../session/context.ts';
import { readFacts } from '../session/read-record.ts';
import { endDependents } from './after.ts';
import { reconcileSoon } from './reconcile.ts';

/** The name by which events tell of the watched folder itself. */
const folderName = 'tasks';

/** Every this many polls it checks a task that is not its own child, whatever the events say. */
const fullLookEvery = 30;

/**
 * Sees what other processes do in a session: one watch on its folder of task logs, which reports new tasks,
 * exit markers, outcomes and acknowledgements. Behind it a slow poll, once a second, for shims that were SIGKILLed and so
 * wrote nothing, and for file systems that send no events: until one has come, the folder is compared.
 */
export class SessionWatch {
  readonly #context: SessionContext;
  readonly #dirty = new Set<string>();
  readonly #ringing = new Set<string>();
  #watcher: FSWatcher | undefined;
  #stopPolling: (() => void) | undefined;
  /** The folder that is watched. */
  #watched: number | null = null;
  #eventsWork = false;
  #folderTime = 0;
  #known = new Set<string>();
  #polls = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Begins to watch. To be called before the folder is read, so that nothing falls in between. */
  start(): void {
    // The process that opens the session handles what is there now; the poll checks for what comes after.
    this.#context.isWatched = true;
    this.#context.onFolders = () => this.#followFolder(this.#folder());
    const folder = this.#folder();
    this.#compareFolder(folder, () => undefined);
    this.#arm(folder);
    const poll = guarded(this.#context, 'polling a session', () => this.#pollOnce());
    this.#stopPolling = onBeat(poll);
  }

  #arm(folder: Stats | null): void {
    this.#watched = folder?.ino ?? null;
    try {
      const seen = guarded(this.#context, 'handling a change', (name: string | null) => {
        // The folder itself: it was removed or moved. A new one where it was may have the same number.
        if (name === folderName) return this.#lose();
        this.#eventsWork = true;
        this.#known = new Set();
        this.#mark(name);
      });
      this.#watcher = watch(this.#context.paths.tasks, { persistent: false }, (_event, name) => seen(name));
      this.#watcher.on('error', () => this.#lose());
    } catch (error) {
      // No watches left (ENOSPC, EMFILE), or none on this system: the poll does it.
      report(this.#context, 'watching a session', error, { codes: unwatched });
      this.#watcher = undefined;
    }
  }

  /** The folder is made with the first task, and again when somebody has removed it: the watch goes with the old one. */
  #followFolder(folder: Stats | null): void {
    if (folder === null || folder.ino === this.#watched) return;
    this.#lose();
    this.#arm(folder);
  }

  /** Null when it is gone; spawning makes it again. */
  #folder(): Stats | null {
    try {
      return statSync(this.#context.paths.tasks, { throwIfNoEntry: false }) ?? null;
    } catch (error) {
      report(this.#context, 'checking the folder of a session', error);
      return null;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#stopPolling?.();
  }

  #lose(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = null;
    this.#eventsWork = false;
    this.#folderTime = 0;
  }

  #mark(name: string | null): void {
    const taskId = name === null ? null : taskIdOfEvent(name);
    if (taskId === null) return;
    if (this.#dirty.size === 0)
      setImmediate(guarded(this.#context, 'checking tasks', () => this.#lookAtDirty()));
    this.#dirty.add(taskId);
  }

  #lookAtDirty(): void {
    const ids = [...this.#dirty];
    this.#dirty.clear();
    for (const id of ids) this.#look(id);
  }

  #look(taskId: string): void {
    const context = this.#context;
    if (context.closed || context.recent.has(taskId)) return;
    const live = context.live.get(taskId);
    if (live?.rings === true && !live.awaitsStart && !this.#saysEnd(taskId)) {
      // Most of what is written of it is known here. What is not, somebody else's request to stop it, can wait for the
      // poll; most tasks have ended by then.
      this.#ringing.add(taskId);
      changed(context, taskId);
    } else reconcileSoon(context, taskId);
  }

  /**
   * Whether the record of a task has its end, which then need not wait for the doorbell. What it says of the start is
   * known after this: at its end only the end is parsed.
   */
  #saysEnd(taskId: string): boolean {
    try {
      return readFacts(this.#context, taskId)?.exit !== undefined;
    } catch (error) {
      report(this.#context, 'reading a record', error, { taskId });
      return false;
    }
  }

  #pollOnce(): void {
    const context = this.#context;
    this.#polls += 1;
    context.recent = new Set();
    retryUnwritten(context);
    context.enforcer?.poll();
    const folder = this.#folder();
    this.#followFolder(folder);
    if (!this.#eventsWork) this.#compareFolder(folder, (name) => this.#mark(name));
    const all = this.#polls % fullLookEvery === 0;
    for (const taskId of [...context.unreconciled]) reconcileSoon(context, taskId);
    for (const live of context.live.values()) {
      if (all || this.#needsLook(live)) reconcileSoon(context, live.id);
    }
    for (const taskId of [...context.away])
      if (all || context.waiters.has(taskId)) reconcileSoon(context, taskId);
    this.#ringing.clear();
    grantTurns(context);
    endDependents(context);
  }

  #needsLook(live: LiveTask): boolean {
    if (live.awaitsStart && !this.#context.queued.has(live.id)) return true;
    if (live.stopSeenAt !== null || this.#ringing.has(live.id)) return true;
    return live.shim === null || !pidExists(live.shim.pid);
  }

  /** Without events: which logs are new since the last look. */
  #compareFolder(folder: Stats | null, found: (name: string) => void): void {
    if (folder === null || folder.mtimeMs === this.#folderTime) return;
    try {
      for (const name of readdirSync(this.#context.paths.tasks)) {
        if (this.#known.has(name)) continue;
        this.#known.add(name);
        found(name);
      }
      this.#folderTime = folder.mtimeMs;
    } catch (error) {
      // It may be gone meanwhile.
      report(this.#context, 'listing the tasks of a session', error);
    }
  }
}
