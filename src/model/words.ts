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

/** Why somebody asked for the end of a task. */
export type StopCause = 'kill' | 'timeout' | 'output_limit' | 'shutdown' | 'stale' | 'bound' | 'leftovers';

/** Every cause, as a list. */
export const stopCauses: readonly StopCause[] = [
  'kill',
  'timeout',
  'output_limit',
  'shutdown',
  'stale',
  'bound',
  'leftovers',
];

/** What becomes of processes that are alive after their command ended. */
export type LeftoversPolicy = 'report' | 'kill' | 'wait';

/** Every policy, as a list. */
export const leftoversPolicies: readonly LeftoversPolicy[] = ['report', 'kill', 'wait'];

/** What to do when the session runs as many tasks as it may: refuse, or have the new one wait for its turn. */
export type OnLimit = 'reject' | 'queue';

/** Every way, as a list. */
export const onLimits: readonly OnLimit[] = ['reject', 'queue'];

/** Whether something lives, as far as can be told from here. */
export type Liveness = 'yes' | 'no' | 'unknown';

/**
 * Who a process is. A pid alone is not an identity, because the kernel uses it again; two processes are
 * the same when all of these agree.
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
