import { getPriority } from 'node:os';
import type { OptionNames } from '../../errors/check-options.ts';
import { OutliveError, shown } from '../../errors/error.ts';
import type { ResourceLimits } from '../../model/held-limits.ts';
import { bounds } from '../../model/limits.ts';

/** What the processes of a task may use, as said at spawn. The snapshot's `limits` say what makes each hold. */
export interface ResourceOptions {
  /**
   * Bytes of memory, from 4 MiB: of the whole task in a cgroup, else of address space of each process.
   * @default no limit
   */
  readonly memoryBytes?: number;
  /** Whole seconds of CPU time, for each process. @default no limit */
  readonly cpuSeconds?: number;
  /** Processes and threads: of the task in a cgroup, else of the user. @default no limit */
  readonly processes?: number;
  /** The nice value, -20 (first) to 19 (last); below this process's own only root may go. @default this process's */
  readonly niceness?: number;
}

/** The options of {@link ResourceOptions}. */
export const resourceOptionNames: OptionNames<ResourceOptions> = {
  memoryBytes: true,
  cpuSeconds: true,
  processes: true,
  niceness: true,
};

/**
 * Checks the limits on what a task may use.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkResources(options: ResourceOptions): ResourceLimits {
  const { memoryBytes, cpuSeconds, processes, niceness } = options;
  const asked = Object.entries({ memoryBytes, cpuSeconds, processes, niceness }).filter(
    ([, value]) => value !== undefined,
  );
  // Nothing runs without a limit that was asked for.
  if (process.platform === 'win32' && asked[0] !== undefined) refuseOnWindows(asked[0][0]);
  return {
    ...(memoryBytes !== undefined && { memoryBytes: whole('memoryBytes', memoryBytes, bounds.memoryBytes) }),
    ...(cpuSeconds !== undefined && {
      cpuSeconds: whole('cpuSeconds', cpuSeconds, 1, bounds.durationMs / 1000),
    }),
    ...(processes !== undefined && { processes: whole('processes', processes, 1, 2 ** 22) }),
    ...(niceness !== undefined && {
      niceness: whole('niceness', niceness, lowestNiceness(), bounds.niceness.last),
    }),
  };
}

function refuseOnWindows(option: string): never {
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected no limit on what a task may use, because outlive does not enforce any on Windows yet; found ${option}. Leave it out.`,
  );
}

function lowestNiceness(): number {
  return process.geteuid?.() === 0 ? bounds.niceness.first : getPriority();
}

function whole(option: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
    return value as number;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected ${option} to be a whole number from ${min} to ${max}; found ${shown(value)}.`,
  );
}
