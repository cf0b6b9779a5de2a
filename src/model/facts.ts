import type { HeldLimit } from './held-limits.ts';
import type { PatternSource } from './pattern.ts';
import type { Bond, EndedStatus, Leftover, LeftoversPolicy, ProcessIdentity, StopCause } from './words.ts';

/** What was asked: appended by the spawner, first. Environment values are never in it. */
export interface SpecFact {
  readonly fact: 'spec';
  /** Format version of the task log. */
  readonly v: 2;
  readonly taskId: string;
  readonly sessionId: string;
  /** The command as given; only its beginning when it is kept in a file of its own. */
  readonly command: string;
  /** The whole command is in `output/<task id>.cmd`, because it does not fit an argument. */
  readonly commandInFile: boolean;
  readonly cwd: string;
  /** The absolute path of the shell that runs the command. */
  readonly shell: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  /** stderr goes to a file of its own. */
  readonly separate: boolean;
  readonly leftovers: LeftoversPolicy;
  readonly maxOutputBytes: number | null;
  readonly keepOutputBytes: number | null;
  /** The task is stopped when that is over; null: it outlives its spawner. */
  readonly bindTo: Bond | null;
  /** Ended and acknowledged it is kept so long, as the spawner's session had it; null: for ever, as far as he says. */
  readonly retentionMs: number | null;
  /** The random value of `OUTLIVE_TASK` by which the task's processes are found; no secret. */
  readonly cookie: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** The monotonic clock of the spawner at `createdAt`, in milliseconds: to be compared within one boot only. */
  readonly monoMs: number;
  /** The spawner. Its boot, namespace and host are the task's own, too. */
  readonly by: ProcessIdentity;
  /** Its place in the queue; absent: it was to start at once. */
  readonly queue?: QueuePlace;
  /**
   * What the shim must prove: the hash of the secret that `exit` shows, which is itself the hash of the secret that
   * `gone` shows. Absent (Windows): nothing.
   */
  readonly seal?: string;
  /** What its processes may use at most; absent: nothing was said. */
  readonly limits?: readonly HeldLimit[];
  /** The folder of the cgroup that its command runs in; absent: in that of the spawner. */
  readonly cgroup?: string;
}

/** What is needed to give a queued task its turn. It is on disk, so every supervisor comes to the same choice. */
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
}

/** A queued task may start: appended by a supervisor that saw a free place; the first counts, a second does no harm. */
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
  readonly killSignal: string | null;
  readonly core: boolean;
  /** False: the record forbade it to run, or could not be written. */
  readonly ran: boolean;
  /** When, in epoch milliseconds, and by the shim's monotonic clock. */
  readonly at: number | null;
  readonly monoMs: number | null;
  /** CPU time of the command and of the children that it waited for. */
  readonly cpuMs: number | null;
  /** The most memory that one of these had at a time. */
  readonly peakBytes: number | null;
  /** Processes of the task that were alive then; `null`: the shim could not tell. */
  readonly left: number | null;
  /** The task ends when these have ended: `left` or `gone` says so. */
  readonly pending: boolean;
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
}

/** The last process of the task has ended: appended by the shim, its last act. */
export interface GoneFact {
  readonly fact: 'gone';
  readonly proof: string;
}

/** The kernel has killed processes of the task because its memory was used up: appended with the outcome. */
export interface OomFact {
  readonly fact: 'oom';
  readonly kills: number;
}

/** The exit status of each segment of the last pipeline: appended by a shell that can tell. */
export interface PipeFact {
  readonly fact: 'pipe';
  readonly statuses: readonly number[];
}

/** How the task ended: appended by whoever settles; the first counts. */
export interface OutcomeFact {
  readonly fact: 'outcome';
  readonly id: string;
  readonly status: EndedStatus;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly killSignal: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly cpuMs: number | null;
  /** Bytes of stdout (with stderr, unless kept apart). */
  readonly bytes: number;
  readonly stderrBytes: number;
  readonly leftovers: readonly Leftover[];
  readonly pipeStatus: readonly number[] | null;
}

/** A consumer handles the completion and nobody else should; void when its process is dead. */
export interface ClaimFact {
  readonly fact: 'claim';
  readonly id: string;
  readonly by: ProcessIdentity;
}

/** A consumer gives its claim back. */
interface UnclaimFact {
  readonly fact: 'unclaim';
  readonly id: string;
}

/** The completion is acknowledged; the first counts. */
export interface DeliveredFact {
  readonly fact: 'delivered';
  readonly id: string;
  readonly at: number;
}

/** The middle of an ended task's output was cut out, to keep its size in bounds. */
export interface CutFact {
  readonly fact: 'cut';
  readonly stream: 'stdout' | 'stderr';
  /** The first `head` bytes are kept ... */
  readonly head: number;
  /** ... and those from offset `tail` on. */
  readonly tail: number;
  /** Size before the cut. */
  readonly bytes: number;
  /** Bytes of the notice that stands between the two in the file. */
  readonly notice: number;
}

/** Matches of a pattern in the output are owed to the session: appended by whoever asks for that. */
export interface WatchFact {
  readonly fact: 'watch';
  /** Names the watch within its task; one that is open is not opened again. */
  readonly id: string;
  readonly pattern: PatternSource;
  readonly stream: 'stdout' | 'stderr';
  /** Byte at which the search begins. */
  readonly from: number;
  readonly at: number;
}

/** The matches of a watch up to an offset are acknowledged; the first that covers a match counts. */
export interface SeenFact {
  readonly fact: 'seen';
  /** The watch. */
  readonly watch: string;
  /** Names this acknowledgement, so that its author finds it again. */
  readonly id: string;
  /** Where the last match that it covers ends; the rest of that line is covered, too. */
  readonly offset: number;
  readonly at: number;
}

/** A watch is over: nothing more of it is owed. */
export interface UnwatchFact {
  readonly fact: 'unwatch';
  readonly watch: string;
}

/** One line of a task log. */
export type Fact =
  | SpecFact
  | WaitingFact
  | TurnFact
  | StartedFact
  | StopFact
  | StoppingFact
  | StoppedFact
  | ExitFact
  | LeftFact
  | GoneFact
  | PipeFact
  | OomFact
  | OutcomeFact
  | ClaimFact
  | UnclaimFact
  | DeliveredFact
  | CutFact
  | WatchFact
  | SeenFact
  | UnwatchFact;
