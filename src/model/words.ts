/** What a task that has not ended is doing. `queued`: it waits for its turn. */
export type LiveStatus = 'queued' | 'starting' | 'running' | 'killing';

/** How a task ended. `lost` is honest: the command is gone and nothing can say how it ended. */
export type EndedStatus = 'completed' | 'failed' | 'killed' | 'timed_out' | 'lost';

/** The status of a task: one word, the same in the API, in `--json` and in the docs. */
export type TaskStatus = LiveStatus | EndedStatus;

/** Every ended status, for those who must tell the two kinds apart at run time. */
export const endedStatuses: readonly EndedStatus[] = ['completed', 'failed', 'killed', 'timed_out', 'lost'];

/** Whether a status is final. */
export function isEnded(status: TaskStatus): status is EndedStatus {
  return (endedStatuses as readonly string[]).includes(status);
}

/** Why nobody here judges a live task, or why it stands still. */
const standing = ['elsewhere', 'copied', 'suspended'] as const;

/** The reasons that go with each status; docs/glossary.md says what they mean. */
export const statusReasons = {
  queued: standing,
  starting: standing,
  running: [...standing, 'silent'],
  killing: standing,
  completed: ['memory_limit', 'hidden_failure'],
  failed: ['memory_limit', 'cpu_limit', 'spawn_aborted', 'dependency_failed', 'signal'],
  // Where a supervisor ends what waits, the command may have started just before.
  killed: ['kill', 'replaced', 'shutdown', 'output_limit', 'stale', 'bound', 'dependency_failed'],
  timed_out: ['timeout'],
  lost: ['no_exit_marker', 'unreadable_record', 'reboot', 'container_restarted', 'elsewhere'],
} as const satisfies Record<TaskStatus, readonly string[]>;

/** Why a task has its status, in one word, where the status alone does not say. */
export type StatusReason<Status extends TaskStatus = TaskStatus> = (typeof statusReasons)[Status][number];

/**
 * A reason, if it is one of those that go with a status. A record can have another one: a later version has written it,
 * or somebody has damaged it.
 */
export function reasonOf<Status extends TaskStatus>(
  status: Status,
  reason: string | null,
): StatusReason<Status> | null {
  const known: readonly string[] = statusReasons[status];
  return reason !== null && known.includes(reason) ? (reason as StatusReason<Status>) : null;
}

/** Why somebody asked for the end of a task. */
export type StopCause =
  | 'kill'
  | 'replaced'
  | 'timeout'
  | 'output_limit'
  | 'shutdown'
  | 'stale'
  | 'bound'
  | 'dependency_failed'
  | 'leftovers';

/** Every cause, as a list. */
export const stopCauses: readonly StopCause[] = [
  'kill',
  'replaced',
  'timeout',
  'output_limit',
  'shutdown',
  'stale',
  'bound',
  'dependency_failed',
  'leftovers',
];

/** What becomes of processes that are alive after their command ended. */
export type LeftoversPolicy = 'report' | 'kill' | 'wait';

/** Every policy, as a list. */
export const leftoversPolicies: readonly LeftoversPolicy[] = ['report', 'kill', 'wait'];

/** How output gets into its file: the command writes to the file, or into a pipe whose content a pump carries there. */
export type OutputWay = 'file' | 'pipe';

/** Both ways, as a list. */
export const outputWays: readonly OutputWay[] = ['file', 'pipe'];

/**
 * What the command reads: nothing; data that comes with the spawn; what the spawner's own stdin is; what others send while it
 * runs; or that after all that the spawner's stdin brings.
 */
export type StdinWay = 'none' | 'data' | 'inherit' | 'open' | 'inherit-open';

/** Every way but that with data, which is an object: as a caller may name it. */
export const stdinWays: readonly Exclude<StdinWay, 'data'>[] = ['none', 'inherit', 'open', 'inherit-open'];

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** What to do when the session runs as many tasks as it may: refuse, or have the new one wait for its turn. */
export type OnLimit = 'reject' | 'queue';

/** Every way, as a list. */
export const onLimits: readonly OnLimit[] = ['reject', 'queue'];

/** Whether something lives, as far as can be told from here. */
export type Liveness = 'yes' | 'no' | 'unknown';

/**
 * The identity of a process. A pid alone is not an identity, because the kernel uses it again; two processes are the
 * same when all of these agree.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /**
   * When the kernel started it: clock ticks since boot on Linux, epoch seconds on macOS, `null` where it
   * could not be read.
   */
  readonly start: number | null;
  /** The boot of the machine, an id that the kernel makes anew each time. */
  readonly boot: string;
  /** The pid namespace (Linux), else empty. */
  readonly pidNamespace: string;
  /** The host's name. */
  readonly host: string;
  /** What stays the same over the boots and the names of one machine; absent: not known. */
  readonly machine?: string | undefined;
}

/**
 * Which file it is, whatever its name: it means something within one boot only. A copy of the log is another file, and its
 * shim writes to the first.
 */
export interface FileIdentity {
  /** The device that it is on. */
  readonly dev: number;
  /** Its number there, rounded where it is longer than a double is exact. */
  readonly ino: number;
}

/** What a task's life is bound to: a process, or its session until `session.end()`. */
export type Bond = ProcessIdentity | 'session';

/** A process that is alive after its task's command ended. */
export interface Leftover {
  readonly pid: number;
  /** Its command line, cut to 200 characters; its name in brackets where the line cannot be read. */
  readonly command: string;
  /** Kernel start time, so that a later stop never hits a stranger with the same pid. */
  readonly start: number | null;
}
