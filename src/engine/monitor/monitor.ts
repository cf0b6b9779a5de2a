import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { networkKind } from '../../platform/network-kind.ts';
import { namesIn } from '../../tasklog/files.ts';
import { sessionPaths, sessionPathsIn, sessionsFolder } from '../../tasklog/paths.ts';
import { onBeat } from '../../util/beat.ts';
import { after, monotonicMs, type Timer, unhurried } from '../../util/wait.ts';
import { type MeasuredTask, type UsageSample, usageSampler } from '../processes/usage-sampler.ts';
import { background, guarded, passing } from '../session/background.ts';
import { SessionContext, type StoreContext } from '../session/context.ts';
import { defaultLimits, sessionIdIn } from '../store/store-sessions.ts';
import { type Events, FolderWatch } from './folder-watch.ts';
import type { StoreChange } from './outbox.ts';
import { type Told, WatchedSession } from './watched-session.ts';

/** It checks changes within this many milliseconds together. */
const gatherMs = 25;

/**
 * Once in this many beats it checks everything that no event reports, or that a lost event may have reported. It checks
 * all of it at once, because code that runs once a second is slow: its caches are cold.
 */
const wholeEvery = 30;

/**
 * After a pause of this many milliseconds events may be lost: the system keeps only some for a process that does not
 * read.
 */
const pauseMs = 5_000;

/** How often it checks an incomplete folder again; after that, once a second. */
const quickLooks = 40;

/** What is watched of a store. */
export interface MonitorOptions extends Told {
  /** Only this session. */
  readonly sessionId: string | null;
  /** Also tell what tasks use. @default false */
  readonly usage?: boolean;
  /** What the system tells. @default what the file system of the store does */
  readonly events?: Events;
}

/**
 * Sees what happens in a store, by any process: by one watch on the folder of sessions and one on the task logs of each.
 * It reads, and changes nothing: no session is adopted, nothing is settled, removed or signalled. Once a second it asks
 * whether the shims of live tasks are there, and compares the folders of which no events tell.
 */
export class StoreMonitor {
  readonly #store: StoreContext;
  readonly #options: MonitorOptions;
  readonly #events: Events;
  readonly #tell: (change: StoreChange) => void;
  readonly #folder: FolderWatch;
  /** By the names of their folders. */
  readonly #sessions = new Map<string, WatchedSession>();
  /** Folders that do not say yet whose they are, or have no logs yet, and how often they were looked at. */
  readonly #unfinished = new Map<string, number>();
  #stopBeat: (() => void) | undefined;
  #stopUsage: (() => void) | undefined;
  /** What was told last of the usage was of some task. */
  #isUsageTold = false;
  #gathering: Timer | null = null;
  #isLooking = false;
  #isAsked = false;
  #isClosed = false;
  /** The names of the folders are known. */
  #isListed = false;
  #beats = 0;
  #beatAt = monotonicMs();
  /** This process did not run for a while before the last beat. */
  #hasPaused = false;

  constructor(store: StoreContext, options: MonitorOptions, tell: (change: StoreChange) => void) {
    // A viewer must not write anything by mistake.
    this.#store = { ...store, isReadOnly: true };
    this.#options = options;
    this.#events = options.events ?? eventsIn(store.dir);
    this.#tell = tell;
    this.#folder = new FolderWatch({ store }, sessionsFolder(store.dir), {
      events: this.#events,
      happened: () => {
        this.#isListed = false;
        this.#soon();
      },
    });
  }

  /** Begins, and resolves with what there is. What comes meanwhile is told afterwards. */
  async start(): Promise<{ sessions: string[]; tasks: TaskSnapshot[] }> {
    const tasks: TaskSnapshot[] = [];
    const sessions: string[] = [];
    this.#stopBeat = onBeat(guarded({ store: this.#store }, 'watching a store', () => this.#beat()));
    await this.#look((change) => {
      if (change.type === 'changed') tasks.push(change.task);
      else if (change.type === 'session') sessions.push(change.sessionId);
    });
    if (this.#options.usage && !this.#isClosed) this.#stopUsage = this.#measure();
    return { sessions: sessions.sort(), tasks: tasks.sort((a, b) => a.createdAt - b.createdAt) };
  }

  close(): void {
    this.#isClosed = true;
    this.#stopBeat?.();
    this.#stopUsage?.();
    this.#gathering?.cancel();
    this.#folder.close();
    for (const session of this.#sessions.values()) session.close();
  }

  #measure(): () => void {
    const store = this.#store;
    return usageSampler(store.system).add({
      store,
      measured: () => this.#measured(),
      tell: (sample) => this.#used(sample),
    });
  }

  *#measured(): Generator<MeasuredTask> {
    for (const session of this.#sessions.values()) yield* session.measured();
  }

  #used({ usage, ports, suspended, sampleMs }: UsageSample): void {
    if (usage.size > 0 || this.#isUsageTold)
      this.#tell({
        type: 'usage',
        usage: Object.fromEntries(usage),
        ports: Object.fromEntries(ports),
        sampleMs,
      });
    this.#isUsageTold = usage.size > 0;
    if (suspended === null) return;
    let isAsked = false;
    for (const session of this.#sessions.values()) isAsked = session.compareSuspended(suspended) || isAsked;
    if (isAsked) this.#soon();
  }

  #beat(): void {
    this.#beats += 1;
    const isWhole = this.#beats % wholeEvery === 0 || this.#hasPaused;
    const now = monotonicMs();
    // At the next beat all events that were kept have been read.
    this.#hasPaused = now - this.#beatAt > pauseMs;
    this.#beatAt = now;
    if (this.#folder.look() !== 'same' || !this.#folder.isTold) this.#isListed = false;
    let isAsked = this.#unfinished.size > 0 || !this.#isListed;
    for (const session of this.#sessions.values()) isAsked = session.beat(isWhole) || isAsked;
    if (isAsked) this.#soon();
  }

  #soon(): void {
    this.#isAsked = true;
    if (this.#isLooking || this.#isClosed) return;
    this.#gathering ??= after(gatherMs, () => {
      this.#gathering = null;
      background({ store: this.#store }, 'watching a store', this.#look(this.#tell));
    });
  }

  /** One look at a time; what is asked for meanwhile is done by the next. */
  async #look(tell: (change: StoreChange) => void): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#isAsked = false;
    try {
      if (!this.#isListed || this.#unfinished.size > 0) this.#lookAtSessions(tell);
      for (const session of [...this.#sessions.values()]) {
        for await (const taskId of unhurried(session.takeDirty())) {
          if (this.#isClosed) return;
          const change = session.look(taskId);
          if (change !== null) tell(change);
        }
      }
    } finally {
      this.#isLooking = false;
      if (this.#isAsked || [...this.#unfinished.values()].some((looks) => looks < quickLooks)) this.#soon();
    }
  }

  #lookAtSessions(tell: (change: StoreChange) => void): void {
    // Before its names are read.
    this.#folder.look();
    this.#isListed = true;
    const names = new Set(this.#names());
    for (const [name, session] of this.#sessions) {
      if (names.has(name) && session.isSame) continue;
      for (const change of session.remove()) tell(change);
      tell({ type: 'session', sessionId: session.context.sessionId, state: 'removed' });
      this.#sessions.delete(name);
    }
    for (const name of [...this.#unfinished.keys()]) if (!names.has(name)) this.#unfinished.delete(name);
    for (const name of names) {
      const session = this.#sessions.get(name) ?? this.#begin(name, tell);
      // The event of a folder comes before its record, and the folder of its logs, are there.
      if (session?.isThere === true) this.#unfinished.delete(name);
      else this.#unfinished.set(name, (this.#unfinished.get(name) ?? 0) + 1);
    }
  }

  #names(): string[] {
    const { sessionId } = this.#options;
    const folder = sessionsFolder(this.#store.dir);
    const names = namesIn(folder);
    if (sessionId === null) return names;
    return names.filter((name) => join(folder, name) === sessionPaths(this.#store.dir, sessionId).dir);
  }

  /** A session that cannot be read now does not block the others. */
  #idIn(dir: string): string | null {
    try {
      return sessionIdIn(this.#store.dir, dir);
    } catch (error) {
      tolerate(error, passing, 'reading the id of a session');
      return null;
    }
  }

  #begin(name: string, tell: (change: StoreChange) => void): WatchedSession | null {
    const dir = join(sessionsFolder(this.#store.dir), name);
    const sessionId = this.#idIn(dir);
    if (sessionId === null) return null;
    const context = new SessionContext(this.#store, sessionId, sessionPathsIn(dir), defaultLimits);
    const session = new WatchedSession(context, this.#options, this.#events, () => this.#soon());
    this.#sessions.set(name, session);
    tell({ type: 'session', sessionId, state: 'made' });
    return session;
  }
}

function eventsIn(dir: string): Events {
  try {
    return networkKind(dir) === null ? 'all' : 'some';
  } catch (error) {
    // It is not there yet, and may be made on whatever is mounted there until then.
    tolerate(error, passing, 'checking the file system of a store');
    return 'some';
  }
}
