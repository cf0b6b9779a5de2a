import type { Socket } from 'node:net';
import type { OutliveError } from '../../errors/error.ts';
import type { ExitFact, Fact, QueuePlace, SpecFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { CgroupHome } from '../../platform/linux/cgroup.ts';
import type { NamedProcess } from '../../platform/signal.ts';
import type { System } from '../../platform/system.ts';
import type { SessionPaths } from '../../tasklog/paths.ts';
import type { RecentLogs } from '../../tasklog/read-log.ts';
import { SeenOutputs } from '../../tasklog/seen-output.ts';
import { Line, type SerialQueue } from '../../util/queue.ts';
import type { Timer } from '../../util/wait.ts';

/** What all sessions of one open store share. */
export interface StoreContext {
  readonly dir: string;
  /** The user who owns the folder. Records of others count for nothing. 0 on Windows. */
  readonly owner: number;
  /** Opened to read: nothing in it is made, changed or removed, and no process is signalled. */
  readonly isReadOnly: boolean;
  /** Outputs are shortened, and what is old or was left by crashes is removed. */
  readonly keepsHouse: boolean;
  readonly system: System;
  /** How tasks of another machine are judged: not at all, or as lost. */
  readonly elsewhere: 'unknown' | 'lost';
  readonly spawns: SerialQueue;
  /** What was read of logs here last. */
  readonly logs: RecentLogs;
  /** Where cgroups for tasks can be made, looked for at the first call; null where none can. */
  readonly cgroups: () => Promise<CgroupHome | null>;
  /** Free bytes below which nothing is started; `undefined`: the default, which goes by the size of the disk. */
  readonly diskReserveBytes: number | null | undefined;
  /** What all tasks may take together before the oldest that are done are removed. */
  readonly maxStoreBytes: number | null;
  /** What only Windows needs; null elsewhere, where that code is not even loaded. */
  readonly windows: WindowsParts | null;
  /** Through it shims report the ends of their commands; null in a process that spawns nothing, and on Windows. */
  readonly doorbell: Doorbell | null;
  /** Whether a process reaps orphaned shims; null as for the doorbell. */
  readonly orphans: Orphans | null;
  /** Starts shims when there are several to start; null as for the doorbell. */
  readonly forkServer: ForkServer | null;
}

/** Tells this process of the ends of commands; see `supervise/doorbell.ts`. */
export interface Doorbell {
  open(): Promise<void>;
  /** Whether the shim of the task will have something to ring at. */
  listen(taskId: string, heard: (exit: ExitFact) => void): boolean;
  /** What to pass to the shim of a task: a descriptor, or a pipe that this process creates and reads; null: nothing. */
  bellOf(taskId: string): number | 'pipe' | null;
  hear(pipe: Socket): void;
  forget(taskId: string): void;
  close(): void;
}

/** Starts the shims of a burst of spawns; see `spawn/fork-server.ts`. */
export interface ForkServer {
  /**
   * Starts a shim, `directly` when no others are on their way.
   * @throws RecordGone, or what `spawn` of Node throws.
   */
  launch(launch: Launch, directly: () => Promise<LaunchEnd>): Promise<LaunchEnd>;
  close(): void;
}

/** The shim to be started. */
export interface Launch {
  readonly program: string;
  readonly task: string;
  readonly cwd: string;
  /** The log, which is open, and its name. */
  readonly log: number;
  readonly logPath: string;
  /** To be called when it is started, and not before. */
  readonly prepare: () => Handover;
}

/** What a shim is handed. */
export interface Handover {
  /** See {@link Doorbell.bellOf}. */
  readonly bell: number | 'pipe' | null;
  readonly environment: NodeJS.ProcessEnv;
}

/** How the program that starts a shim has ended. */
export interface LaunchEnd {
  /** Its exit status; null: another process ended it, and it is not known whether the shim was started. */
  readonly code: number | null;
}

/** Knows whether orphans are reaped here; see `spawn/orphans.ts`. */
export interface Orphans {
  /** `null`: not known yet. */
  readonly areReaped: boolean | null;
  find(): void;
  /** Whether a new shim is to stay a child of this process. */
  staysChild(): boolean;
}

/** What Windows needs because its shim is a batch file, which cannot append to a log and enforces nothing. */
export interface WindowsParts {
  /** Takes what a shim has left in a file into the log; true when there was something new. */
  copyExitMark(context: SessionContext, taskId: string, facts: Facts): boolean;
  /**
   * Starts the wrapper of a task.
   * @returns its pid.
   */
  startShim(context: SessionContext, request: ShellCommand, spec: SpecFact): Promise<number>;
  /** Removes the files that a task has there while it runs. */
  dropFiles(context: SessionContext, taskId: string): void;
  /** What makes the limits of an open session's tasks hold. */
  enforcer(context: SessionContext): Promise<Enforcer>;
  /** The store is closed; its tasks run on. */
  close(): void;
}

/** What the wrapper of a task on Windows is told of its command. */
export interface ShellCommand {
  readonly command: string;
  readonly shell: string;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly separate: boolean;
}

/** Makes timeout, output limit and `bindTo` hold where shims do not do so by themselves. */
export interface Enforcer {
  /** To be called when a live task was spawned or taken up, and again when its start is known. */
  include(live: LiveTask, facts: Facts): void;
  /** Call it when the task is no longer live here. */
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

/** A stop in progress in this process: shared by everybody who asks for the end of the same task meanwhile. */
interface StopRun {
  readonly finished: Promise<void>;
  /** Another request: its signal goes out at once, and the shorter grace counts. */
  hasten(request: { readonly graceMs: number; readonly killSignal: NodeJS.Signals }): void;
}

/** A task that has not ended and is watched here: all that is kept of it in memory. There is no descriptor among it. */
export interface LiveTask {
  readonly id: string;
  /** This process has spawned it. */
  readonly own: boolean;
  readonly cookie: string;
  /** Between the first signal of a stop and SIGKILL, as its spec has it: its record may be out of reach then. */
  readonly graceMs: number;
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
  /** When this process first saw a request to stop it, in milliseconds of `monotonicMs()`. */
  stopSeenAt: number | null;
  /** When it has seen first that the command has ended and left something. */
  endSeenAt: number | null;
  /** When to look again, because the end seems near; grows with each look. */
  reconcileAgain: Timer | null;
  reconcileAgainMs: number;
  /** It was queued and has not said yet that its command runs. */
  awaitsStart: boolean;
}

/** A live task that waits for its turn. */
export interface QueuedTask {
  readonly place: QueuePlace;
  /** The task that has to complete before; null: none. */
  readonly after: string | null;
  /** Its shim has no locks, by which it would find its turn alone: supervisors give it. */
  readonly needsTurn: boolean;
}

/** A spawn on its way. Its log is there before its process is, and must not be taken for another process's task. */
export interface SpawnAttempt {
  taskId: string | null;
  /** Its place: it waits for one, or takes that of a running task. */
  readonly place: QueuePlace & { readonly waits: boolean };
  /** Where it stands among the spawns of this process that put tasks into the queue; null: it does not. */
  readonly line: ReturnType<Line['enter']> | null;
  /** Its process runs and is counted among the live ones. */
  live: LiveTask | null;
}

/** Somebody who waits for the end of one task. */
export interface EndWaiter {
  /**
   * Whether the caller gets the end as its result, which counts as the completion. Called once, before any consumer
   * gets the end.
   */
  acknowledges(end: { readonly leftovers: readonly unknown[] }): boolean;
  /** The task ended (with its snapshot and whether the completion was acknowledged for this waiter), or its record is gone. */
  ended(snapshot: TaskSnapshot | null): void;
  /** No process can report the end, because of a mistake in the program. */
  failed(error: OutliveError): void;
}

/** Somebody who takes the completions of a session. */
export interface CompletionConsumer {
  offer(taskId: string, snapshot: TaskSnapshot | null): void;
  /** The session is closed. */
  stop(): void;
}

/** A fact that could not be appended yet. */
export interface UnwrittenFact {
  readonly fact: Fact;
  /** How many facts came before it. Facts that others have appended since come after it. */
  readonly behind: number;
}

/** One session, open in this process. Holds nothing of a task that has ended but the ids of those with a pending completion. */
export class SessionContext {
  readonly store: StoreContext;
  readonly sessionId: string;
  readonly paths: SessionPaths;
  readonly limits: SessionLimits;
  /** Null where shims enforce their limits, and where nobody supervises the session here. */
  enforcer: Enforcer | null = null;

  readonly live = new Map<string, LiveTask>();
  /** Those of the live ones that wait for their turn, as far as is known here. */
  readonly queued = new Map<string, QueuedTask>();
  /** What others do in the session is seen here. */
  isWatched = false;
  /** Every task that existed when the session was opened has been checked. */
  isAdopted = false;
  /** Ended, and not acknowledged as far as we know: the queue of completions, as on disk. */
  readonly pending = new Set<string>();
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
  /** Why the disk took none of them the last time. */
  refusal: unknown = null;
  /** Settled and acknowledged here a moment ago: events about them are our own. */
  recent = new Set<string>();
  /** Tasks that may be done: their logs are about to be put away. */
  readonly closing = new Set<string>();
  /** Limits that are being enforced: cause and task. */
  readonly enforcing = new Set<string>();
  /** Tasks elsewhere that have not ended: only a check shows the end of another container. */
  readonly away = new Set<string>();
  /** Tasks that could not be checked when they should have been. */
  readonly unreconciled = new Set<string>();
  /** Acknowledgements by id, of those who could not be told yet whether they were the first. */
  readonly unanswered = new Map<string, string>();
  /** Spawns of queued tasks, in the order of the calls: so their shims are started. */
  readonly line = new Line();
  /** Spawns that have passed the limit and have not been answered yet. */
  readonly spawning = new Set<SpawnAttempt>();
  /** Work left by spawns that failed after the fork: retried from time to time, and at the close. */
  readonly takeBacks = new Set<() => Promise<void>>();
  /** What was seen of output here: of the files that were read last. */
  readonly outputs = new SeenOutputs();
  /** Terminals that are followed here, until the session is closed. */
  readonly terminals = new Map<string, Disposable>();
  /** Its folders and its record are there, or can be made. */
  isRecorded = true;
  /** Called when its folders were made. */
  onFolders: (() => void) | null = null;
  closed = false;

  constructor(store: StoreContext, sessionId: string, paths: SessionPaths, limits: SessionLimits) {
    this.store = store;
    this.sessionId = sessionId;
    this.paths = paths;
    this.limits = limits;
  }
}
