/** Limits on what the processes of a task may use. What is not said is not limited. */
export interface ResourceLimits {
  /** Bytes of memory. */
  readonly memoryBytes?: number;
  /** Seconds of CPU time, of each process for itself. */
  readonly cpuSeconds?: number;
  /** Processes and threads. */
  readonly processes?: number;
  /** The nice value, -20 (first) to 19 (last). */
  readonly niceness?: number;
}

/** The name of a limit, as at spawn. */
export type ResourceLimit = keyof ResourceLimits;

/** Every limit, in the order in which they are shown. */
export const resourceLimits: readonly ResourceLimit[] = [
  'memoryBytes',
  'cpuSeconds',
  'processes',
  'niceness',
];

/**
 * What makes a limit hold: a cgroup, for all processes of the task together; an rlimit (`ulimit`), for each process
 * or, of `processes`, for all of the user; `nice`; or nothing, where the system exempts the user (root).
 */
export type LimitHolder = 'cgroup' | 'ulimit' | 'nice' | 'nothing';

/** Every holder, as a list. */
export const limitHolders: readonly LimitHolder[] = ['cgroup', 'ulimit', 'nice', 'nothing'];

/** A limit of a task and what makes it hold. */
export interface HeldLimit {
  readonly limit: ResourceLimit;
  readonly value: number;
  readonly by: LimitHolder;
}

/** 128 and SIGXCPU. With it the kernel warns a process that has used up its CPU time. */
const cpuTimeIsUp = 128 + 24;
/** 128 and SIGKILL, with which it ends who does not heed that. */
const killed = 128 + 9;

/** The limit that has ended a command, as far as its end tells: one word, or null. */
export function limitMet(
  limits: readonly HeldLimit[],
  end: { readonly code: number; readonly cpuMs: number | null; readonly oomKills: number },
): 'memory_limit' | 'cpu_limit' | null {
  if (end.oomKills > 0) return 'memory_limit';
  const cpuSeconds = limits.find(({ limit }) => limit === 'cpuSeconds')?.value;
  if (cpuSeconds === undefined) return null;
  if (end.code === cpuTimeIsUp) return 'cpu_limit';
  return end.code === killed && (end.cpuMs ?? 0) >= cpuSeconds * 1000 ? 'cpu_limit' : null;
}
