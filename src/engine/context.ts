import type { ExitFact, QueuePlace } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { CgroupHome } from '../platform/cgroup.ts';
import type { System } from '../platform/system.ts';
import type { UnwrittenFact } from '../tasklog/log.ts';
import type { SessionPaths } from '../tasklog/paths.ts';
import type { SerialQueue } from '../util/queue.ts';
import type { Timer } from '../util/wait.ts';
import type { Doorbell } from './doorbell.ts';
import type { Orphans } from './orphans.ts';
import type { StopRun } from './stop-run.ts';

/** What all sessions of one open store share. */
export interface StoreContext {
  readonly dir: string;
  readonly system: System;
  /** How tasks of another machine are judged: not at all, or as lost. */
  readonly elsewhere: 'unknown' | 'lost';
  readonly spawns: SerialQueue;
  /** Where cgroups for tasks can be made, looked for at the first call; null where none can. */
  readonly cgroups: () => Promise<CgroupHome | null>;
  /** Free bytes below which nothing is started; `undefined`: the default, which goes by the size of the disk. */
  readonly diskReserveBytes: number | null | undefined;
  /** What all tasks may take together before the oldest that are done are removed. */
  readonly maxStoreBytes: number | null;
  /** What only Windows needs; null elsewhere, where that code is not even loaded. */
  readonly windows: WindowsParts | null;
  /** By which shims tell of the ends of their commands; null in those who spawn nothing, and on Windows. */
  readonly doorbell: Doorbell | null;
  /** Whether somebody reaps shims that are nobody's children; null as for the doorbell. */
  readonly orphans: Orphans | null;
}

/** What Windows needs because its shim is a batch file, which cannot append to a log and enforces nothing. */
export interface WindowsParts {
  /** Takes what a shim has left in a file into the log; true when there was something new. */
  copyExitMark(context: SessionContext, taskId: string, facts: Facts): boolean;
  /** Removes the files that a task has there while it runs. */
  dropFiles(context: SessionContext, taskId: string): void;
  /** What makes the limits of an open session's tasks hold. */
  enforcer(context: SessionContext): Promise<Enforcer>;
  /** The store is closed; its tasks run on. */
  close(): void;
}

/** Makes timeout, output limit and `bindTo` hold where shims do not do so by themselves. */
export interface Enforcer {
  /** To be called when a live task was spawned or taken up, and again when its start is known. */
  include(live: LiveTask, facts: Facts): void;
  /** To be called when the task is not live here any more. */
  drop(taskId: string): void;
  /** To be called once a second. */
  poll(): void;
  /** To be called when the session is closed, while its live tasks are still known: they run on. */
  close(): void;
}

/** Limits of one session in this process. */
export interface SessionLimits {
  readonly maxRunning: number;
  readonly retentionMs: number | null;
  readonly staleAfterMs: number | null;
  readonly previewBytes: number;
}

/** A process as the record of a task names it. */
export interface NamedProcess {
  readonly pid: number;
  /** Kernel start time; null: not known. */
  readonly start: number | null;
}

/**
 * A task that has not ended and is watched here. All that is kept of it in memory; there is no descriptor
 * among it.
 */
export interface LiveTask {
  readonly id: string;
  /** This process has spawned it. */
  readonly own: boolean;
  readonly cookie: string;
  /** When its shim was there for certain, in milliseconds of `monotonicMs()`; null: not started by this process. */
  launchedAt: number | null;
  /** No process of it was there when its shim had not said yet that it runs. */
  neverStarts: boolean;
  /** Its shim tells the end of its command by the doorbell, and has not done so yet. */
  rings: boolean;
  /** The shim, and the command that leads its process group, once they are known. */
  shim: NamedProcess | null;
  command: NamedProcess | null;
  /** The tree is being ended by this process, from outside; shared by all who ask for it. */
  stop: StopRun | null;
  /** When this process has seen first that somebody asked for the end, in milliseconds of `monotonicMs()`. */
  stopSeenAt: number | null;
  /** When it has seen first that the command has ended and left something. */
  endSeenAt: number | null;
  /** When to look again, because the end seems near; grows with each look. */
  relook: Timer | null;
  relookMs: number;
  /** It was queued and has not said yet that its command runs. */
  awaitsStart: boolean;
}

/** A spawn on its way. Its log is there before its process is, and must not be taken for another process's task. */
export interface SpawnAttempt {
  taskId: string | null;
  /** Its place in the queue; null: it takes the place of a running task. */
  queue: QueuePlace | null;
  /** Its process runs and is counted among the live ones. */
  live: LiveTask | null;
}

/** Somebody who waits for the end of one task. */
export interface EndWaiter {
  /**
   * Whether the caller gets the end as his result, which counts as the completion: it is told nobody else.
   * Asked once, when the task has ended and before anybody is told.
   */
  acknowledges(end: { readonly leftovers: readonly unknown[] }): boolean;
  /** The task ended (with its snapshot and whether the completion was acknowledged for this waiter), or its record is gone. */
  ended(snapshot: TaskSnapshot | null): void;
}

/** Somebody who takes the completions of a session. */
export interface CompletionConsumer {
  offer(taskId: string, snapshot: TaskSnapshot | null): void;
  /** The session is closed. */
  stop(): void;
}

/** One session, open in this process. Holds nothing of a task that has ended but the ids of those owed. */
export class SessionContext {
  readonly store: StoreContext;
  readonly sessionId: string;
  readonly paths: SessionPaths;
  readonly limits: SessionLimits;
  /** Null where shims enforce their limits, and where nobody supervises the session here. */
  enforcer: Enforcer | null = null;

  readonly live = new Map<string, LiveTask>();
  /** Those of the live ones that wait for their turn, as far as is known here. */
  readonly queued = new Map<string, QueuePlace>();
  /** Every task that was there when the session was opened has been looked at. */
  isAdopted = false;
  /** Ended, and not acknowledged as far as we know: the queue of completions, as on disk. */
  readonly owed = new Set<string>();
  readonly waiters = new Map<string, Set<EndWaiter>>();
  readonly consumers = new Set<CompletionConsumer>();
  /** Called whenever a task started, ended or changed; readers who follow a task listen. */
  readonly listeners = new Map<string, Set<() => void>>();
  /** Tasks with a durable watch that is open, as far as we know. */
  readonly watched = new Set<string>();
  /** Called when a task comes to be watched; consumers of matches listen. */
  readonly watchListeners = new Set<() => void>();
  /** Ends of commands that the doorbell has told, with their proof: the log may not have taken them. */
  readonly heard = new Map<string, ExitFact>();
  /** Requests for the end of a task that are waited for here. */
  readonly stops = new Set<Promise<void>>();
  /** Facts that are about to be appended, or could not be (no disk, no permission) and are tried again. */
  readonly unwritten = new Map<string, UnwrittenFact[]>();
  /** Settled and acknowledged here a moment ago: events about them are our own. */
  recent = new Set<string>();
  /** Limits that are being enforced: cause and task. */
  readonly enforcing = new Set<string>();
  /** Tasks that could not be looked at when they should have been. */
  readonly unlooked = new Set<string>();
  /** Acknowledgements by id, of those who could not be told yet whether they were the first. */
  readonly unanswered = new Map<string, string>();
  /** Spawns that have passed the limit and have not been answered yet. */
  readonly spawning = new Set<SpawnAttempt>();
  /** What is left to do of spawns that were refused behind the fork: tried again from time to time, and at the close. */
  readonly takeBacks = new Set<() => Promise<void>>();
  /** Its folders and its record are there, as far as we know. */
  isRecorded = true;
  closed = false;

  constructor(store: StoreContext, sessionId: string, paths: SessionPaths, limits: SessionLimits) {
    this.store = store;
    this.sessionId = sessionId;
    this.paths = paths;
    this.limits = limits;
  }
}
