import { markedPids, readOr } from './ground.ts';

/** The processes of quiet tasks, by what they are there for. */
export interface TaskProcesses {
  /** Shims and their timers: what the library adds. */
  readonly shims: readonly number[];
  readonly commands: readonly number[];
}

/** This run's processes that carry a task's cookie; the quiet command is `sleep`, all others are of the shim. */
export function taskProcesses(): TaskProcesses {
  const tasks = markedPids().filter((pid) =>
    readOr(`/proc/${pid}/environ`, '').includes('OUTLIVE_TASK=bgb-'),
  );
  const isCommand = (pid: number): boolean => readOr(`/proc/${pid}/comm`, '').trim() === 'sleep';
  return { shims: tasks.filter((pid) => !isCommand(pid)), commands: tasks.filter(isCommand) };
}

/** CPU time that processes have used so far, in milliseconds. */
export function cpuMs(processes: readonly number[]): number {
  // Nanoseconds on a CPU, which is finer than the clock ticks of /proc/PID/stat.
  const used = processes.map((pid) => Number(readOr(`/proc/${pid}/schedstat`, '0').split(' ')[0]));
  return used.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
}

/** Memory of processes that they share with nobody, in KiB. */
export function privateKib(processes: readonly number[]): number {
  const each = processes.map((pid) => {
    const lines = readOr(`/proc/${pid}/smaps_rollup`, '').matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm);
    return [...lines].reduce((sum, line) => sum + Number(line[1]), 0);
  });
  return each.reduce((sum, kib) => sum + kib, 0);
}

/** Milliseconds of CPU that the whole machine has been idle so far, over all of them. */
export function idleMs(): number {
  const idleTicks = Number(readOr('/proc/stat', '').split(/\s+/)[4]);
  return idleTicks * 10;
}
