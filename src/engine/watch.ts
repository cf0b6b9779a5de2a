import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { pidExists } from '../platform/identity.ts';
import { taskIdOfEvent } from '../tasklog/paths.ts';
import { retryUnwritten } from './append.ts';
import { background } from './background.ts';
import { enforceBonds } from './bond.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { changed } from './deliver.ts';
import type { OutputLimits } from './limits.ts';
import { look } from './look.ts';
import { grantTurns } from './queue.ts';

/** The slow poll, behind the events. */
const pollMs = 1_000;

/** Every so many polls a task that is not our own child is looked at whatever the events say. */
const fullLookEvery = 30;

/**
 * Sees what other processes do in a session: one watch on its folder of task logs, which reports new tasks,
 * exit markers, outcomes and acknowledgements. Behind it a slow poll, for shims that were SIGKILLed and so
 * wrote nothing, and for file systems that send no events: until one has come, the folder is compared.
 */
export class SessionWatch {
  readonly #context: SessionContext;
  readonly #limits: OutputLimits;
  readonly #dirty = new Set<string>();
  readonly #ownChildren = new Set<string>();
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  /** The folder that is watched. */
  #watched: number | null = null;
  #eventsWork = false;
  #folderTime = 0;
  #known = new Set<string>();
  #polls = 0;

  constructor(context: SessionContext, limits: OutputLimits) {
    this.#context = context;
    this.#limits = limits;
  }

  /** Begins to watch. To be called before the folder is read, so that nothing falls in between. */
  start(): void {
    // What is there now is taken up by whoever opens the session; the poll looks for what comes after.
    this.#compareFolder(() => undefined);
    this.#arm();
    this.#poll = setInterval(() => this.#pollOnce(), pollMs);
    this.#poll.unref();
  }

  #arm(): void {
    this.#watched = this.#folder();
    try {
      this.#watcher = watch(this.#context.paths.tasks, { persistent: false }, (_event, name) => {
        this.#eventsWork = true;
        this.#known = new Set();
        this.#mark(name);
      });
      this.#watcher.on('error', () => this.#lose());
    } catch {
      // No watches left, or none on this system: the poll does it.
      this.#watcher = undefined;
    }
  }

  /** Somebody moved the folder away, and a spawn made it again: the watch has gone with the old one. */
  #followFolder(): void {
    const folder = this.#folder();
    if (folder === null || folder === this.#watched) return;
    this.#lose();
    this.#arm();
  }

  #folder(): number | null {
    try {
      return statSync(this.#context.paths.tasks).ino;
    } catch {
      return null;
    }
  }

  close(): void {
    this.#watcher?.close();
    clearInterval(this.#poll);
  }

  #lose(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#eventsWork = false;
    this.#folderTime = 0;
  }

  #mark(name: string | null): void {
    const taskId = name === null ? null : taskIdOfEvent(name);
    if (taskId === null) return;
    if (this.#dirty.size === 0) setImmediate(() => this.#lookAtDirty());
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
    if (live?.own === true && live.reaped === null && !live.awaitsStart) {
      // Our own child's end comes as an event of its own, and most of what is written of it is known here. What
      // is not, somebody else's request to stop it, can wait for the poll; most tasks have ended by then.
      this.#ownChildren.add(taskId);
      changed(context, taskId);
    } else background(look(context, this.#limits, taskId));
  }

  #pollOnce(): void {
    const context = this.#context;
    this.#polls += 1;
    context.recent = new Set();
    retryUnwritten(context);
    enforceBonds(context);
    this.#followFolder();
    if (!this.#eventsWork) this.#compareFolder((name) => this.#mark(name));
    const all = this.#polls % fullLookEvery === 0;
    for (const taskId of [...context.unlooked]) background(look(context, this.#limits, taskId));
    for (const live of context.live.values()) {
      if (all || this.#needsLook(live)) background(look(context, this.#limits, live.id));
    }
    this.#ownChildren.clear();
    grantTurns(context);
  }

  #needsLook(live: LiveTask): boolean {
    if (live.awaitsStart && !this.#context.queued.has(live.id)) return true;
    if (live.stopAsked || this.#ownChildren.has(live.id)) return true;
    if (live.own && live.reaped === null) return false;
    return live.pid === null || live.stop !== null || !pidExists(live.pid);
  }

  /** Without events: which logs are new since the last look. */
  #compareFolder(found: (name: string) => void): void {
    try {
      const { mtimeMs } = statSync(this.#context.paths.tasks);
      if (mtimeMs === this.#folderTime) return;
      for (const name of readdirSync(this.#context.paths.tasks)) {
        if (this.#known.has(name)) continue;
        this.#known.add(name);
        found(name);
      }
      this.#folderTime = mtimeMs;
    } catch {
      // The folder is gone; spawning makes it again.
    }
  }
}
