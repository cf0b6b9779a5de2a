import type { AttachedFact, DetachedFact } from './attached.ts';
import type { ClaimFact, DeliveredFact, ToldFact, UnclaimFact } from './completion-facts.ts';
import type { HeldLimit } from './held-limits.ts';
import type { HookedFact, HookFact } from './hook-facts.ts';
import type { CutFact, ErasedFact } from './output-facts.ts';
import type { Starter } from './starter.ts';
import type { SeenFact, TellingFact, UntellingFact, UnwatchFact, WatchFact } from './watch-facts.ts';
import type {
  Bond,
  EndedStatus,
  FileIdentity,
  Leftover,
  LeftoversPolicy,
  OutputWay,
  ProcessIdentity,
  StdinWay,
  StopCause,
  TerminalSize,
} from './words.ts';

/** What was asked: appended by the spawner, first. Environment values are never in it. */
export interface SpecFact {
  readonly fact: 'spec';
  /** Format version of the task log. */
  readonly v: 2;
  readonly taskId: string;
  readonly sessionId: string;
  /**
   * The command as given, or its words, quoted for a shell, when it runs without one. Only the beginning when it is too
   * long for the record.
   */
  readonly command: string;
  /** The whole command, or all of its words but the first, is in `output/<task id>.cmd`: it is too long for the record. */
  readonly commandInFile: boolean;
  readonly cwd: string;
  /** The absolute path of the shell that runs the command; `null`: it is a program, which runs without one. */
  readonly shell: string | null;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  /** stderr goes to a file of its own. */
  readonly separate: boolean;
  /** Absent: the command writes to its file. */
  readonly output?: OutputWay;
  /** Absent: the command reads nothing. */
  readonly stdin?: StdinWay;
  /** The size of its terminal at its start; absent: it has none. */
  readonly tty?: TerminalSize;
  readonly leftovers: LeftoversPolicy;
  readonly maxOutputBytes: number | null;
  readonly keepOutputBytes: number | null;
  /** The task is stopped when that is over; null: it outlives its spawner. */
  readonly bindTo: Bond | null;
  /** How long it is kept after it has ended and was acknowledged, as the spawner's session had it; null: for ever. */
  readonly retentionMs: number | null;
  /** The random value of `OUTLIVE_TASK` by which the task's processes are found; no secret. */
  readonly cookie: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** The monotonic clock of the spawner at `createdAt`, in milliseconds: to be compared within one boot only. */
  readonly monoMs: number;
  /** The spawner. Its boot, namespace and host are the task's own, too. */
  readonly by: ProcessIdentity;
  /** Which client is told of its end; absent: the one that has the session. */
  readonly starter?: Starter;
  /** Its place in the queue; absent: it was to start at once. */
  readonly queue?: QueuePlace;
  /** The task of the same session that has to complete before it starts; absent: none. */
  readonly after?: string;
  /**
   * What the shim must prove: the hash of the secret that `exit` shows, which is itself the hash of the secret that
   * `gone` shows. Absent (Windows): nothing.
   */
  readonly seal?: string;
  /** The log that this was written to; absent (Windows): not known. */
  readonly file?: FileIdentity;
  /** The names of variables that its spawner set to other values than its own, at most 512 of them; absent: none. Never a value. */
  readonly setNames?: readonly string[];
  /** The names of variables that its spawner removed, at most 512 of them; absent: none. */
  readonly unsetNames?: readonly string[];
  /** It was spawned with `unbuffered`; absent: it was not. */
  readonly unbuffered?: true;
  /** The cookie of the task whose place it takes, which at most one task does; absent: it takes no place. */
  readonly replaces?: string;
  /** The id of the task that was stopped for it, since that had its name; absent: none was. */
  readonly inPlaceOf?: string;
  /** What its processes may use at most; absent: nothing was said. */
  readonly limits?: readonly HeldLimit[];
  /** What the task was spawned for: no other task of the session has the same; absent: nothing was said. */
  readonly key?: string;
  /** What the shim runs when the task has ended; absent: nothing. */
  readonly onExit?: string;
  /** The folder of the cgroup that its command runs in; absent: in that of the spawner. */
  readonly cgroup?: string;
}

/** By what a task gets its turn. It is on disk, so that every supervisor comes to the same choice where they give it. */
export interface QueuePlace {
  /** It may start when fewer tasks of the session run: the limit that its spawner had. */
  readonly maxRunning: number;
  /**
   * The lower comes first: microseconds of the clock that all processes of a boot share. A queue does not
   * outlive its boot, since those that wait in it are processes.
   */
  readonly order: number;
}

/** The shim of a queued task runs and waits until its turn: appended by the shim. */
export interface WaitingFact {
  readonly fact: 'waiting';
  readonly pid: number;
  readonly start: number | null;
  /** It has locks, by which it finds its turn alone. Else a supervisor gives it. */
  readonly locks: boolean;
}

/**
 * A queued task may start: appended by a supervisor that saw a free place, where the shim has no locks; the first counts,
 * a second does no harm.
 */
export interface TurnFact {
  readonly fact: 'turn';
  readonly by: ProcessIdentity;
  readonly at: number;
}

/** The command is about to run: appended by the process that becomes the command, before it does. */
export interface StartedFact {
  readonly fact: 'started';
  /** The command, which leads a process group of its own. On Windows the shim. */
  readonly pid: number;
  /** Kernel start time of that process; `null`: not known. */
  readonly start: number | null;
  /** The shim, parent of the command. */
  readonly shimPid: number;
  readonly shimStart: number | null;
  /** When, in epoch milliseconds, and by the shim's monotonic clock. */
  readonly at: number;
  readonly monoMs: number | null;
  /** The shim is a subreaper: every process that descends from the command stays below it, so that none can leave the task. */
  readonly subreaper: boolean;
  /** `silent`: the pipe that the spawner's stdin was brought nothing, so the command reads nothing. */
  readonly stdin?: 'silent';
  /** Where it takes input: in its session's folder, when this is empty, else at that path. Absent: nowhere. */
  readonly socket?: string;
}

/** Somebody asks for the end; the first one before the exit marker counts. */
export interface StopFact {
  readonly fact: 'stop';
  readonly cause: StopCause;
  /** Names this request, so that its author finds it again. */
  readonly id: string;
  /** `null`: the shim, which holds the limits. */
  readonly by: ProcessIdentity | null;
  readonly at: number | null;
  readonly graceMs: number | null;
  readonly killSignal: string | null;
}

/** The shim has read a request to stop, and is about to send its signal: appended by the shim. */
interface StoppingFact {
  readonly fact: 'stopping';
  readonly id: string;
}

/** A stop of what a command had left is done; these are alive nevertheless. */
export interface StoppedFact {
  readonly fact: 'stopped';
  readonly id: string;
  readonly survivors: readonly Leftover[];
}

/** The command ended: appended by the shim at once, or copied from the file that it has left. */
export interface ExitFact {
  readonly fact: 'exit';
  /** `null`: a signal ended it, or it has not run. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly exitSignal: string | null;
  readonly core: boolean;
  /** False: the record forbade it to run, or something that it needs could not be had. */
  readonly ran: boolean;
  /** What could not be had, as the system numbers errors; 0: the record forbade it. `null` of a command that ran. */
  readonly errno: number | null;
  /** When, in epoch milliseconds, and by the shim's monotonic clock. */
  readonly at: number | null;
  readonly monoMs: number | null;
  /** CPU time of the command and of the children that it waited for. */
  readonly cpuMs: number | null;
  /** The most memory that one of these had at a time. */
  readonly peakBytes: number | null;
  /** Processes of the task that were alive then; `null`: the shim could not tell. */
  readonly left: number | null;
  /** The task ends when these have ended, and all output is in its file: `left` or `gone` says so. */
  readonly pending: boolean;
  /** The exit status of each segment of the last pipeline, where the shell has told it without a trace. */
  readonly pipeStatus?: readonly number[];
  /** Bytes of output that there were then: in the files, and on their way there. Absent: the shim did not say. */
  readonly bytes?: number;
  /** Bytes that the disk had not taken from the pump until then. Absent: there is no pump. */
  readonly dropped?: number;
  /**
   * The shim left it in a file of its own (Windows), and a process that saw that has copied it here: when that file was
   * written, epoch milliseconds. Two may copy it at once; by this the second copy is known.
   */
  readonly copied?: number;
  /** The secret of which the spec has the seal. Nobody but the shim shows it. */
  readonly proof?: string;
}

/** Which processes are alive some milliseconds after the end of the command, or after a stop: appended by the shim. */
export interface LeftFact {
  readonly fact: 'left';
  /** `null`: the shim could not tell. */
  readonly processes: readonly Leftover[] | null;
  /** The second secret: the end of the task waited for this. */
  readonly proof?: string;
  /** Bytes that the disk has not taken until then. Absent: none. */
  readonly dropped?: number;
}

/** The last process of the task has ended: appended by the shim, its last act. */
export interface GoneFact {
  readonly fact: 'gone';
  readonly proof: string;
  /** Bytes that the disk has not taken until then. Absent: none. */
  readonly dropped?: number;
}

/** The kernel has killed processes of the task because its memory was used up: appended with the outcome. */
export interface OomFact {
  readonly fact: 'oom';
  readonly kills: number;
}

/** How the task ended: appended by the process that settles; the first counts. */
export interface OutcomeFact {
  readonly fact: 'outcome';
  readonly id: string;
  readonly status: EndedStatus;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly startedAt: number | null;
  /** `null`: nobody has seen the end, and nothing is made up. */
  readonly endedAt: number | null;
  /** Then the newest trace of the task, when this was written; else `null`. */
  readonly lastSeenAt: number | null;
  readonly cpuMs: number | null;
  /** Bytes of stdout (with stderr, unless kept apart). */
  readonly bytes: number;
  readonly stderrBytes: number;
  readonly leftovers: readonly Leftover[];
  readonly pipeStatus: readonly number[] | null;
}

/** One line of a task log. */
export type Fact =
  | SpecFact
  | WaitingFact
  | TurnFact
  | StartedFact
  | AttachedFact
  | DetachedFact
  | StopFact
  | StoppingFact
  | StoppedFact
  | ExitFact
  | LeftFact
  | GoneFact
  | ErasedFact
  | OomFact
  | HookFact
  | HookedFact
  | OutcomeFact
  | ClaimFact
  | ToldFact
  | UnclaimFact
  | DeliveredFact
  | CutFact
  | WatchFact
  | SeenFact
  | TellingFact
  | UntellingFact
  | UnwatchFact;
