import { allPids, markedPids, readOr } from './ground.ts';

/** The processes of quiet tasks, by what they are there for. */
export interface TaskProcesses {
  /** What the library adds. */
  readonly shims: readonly number[];
  readonly commands: readonly number[];
}

/** This run's processes that carry a task's cookie, and the shims of the same tasks, which carry nothing else. */
export function taskProcesses(): TaskProcesses {
  const commands = markedPids().filter((pid) => cookieOf(pid) !== null);
  const cookies = new Set(commands.map(cookieOf));
  return { shims: allPids().filter((pid) => isShim(pid) && cookies.has(cookieOf(pid))), commands };
}

/** Whether a process is named as shims are, be it of this run or of another. */
function isShim(pid: number): boolean {
  return readOr(`/proc/${pid}/comm`, '').trim() === 'outlive-shim';
}

function cookieOf(pid: number): string | null {
  return /(?:^|\0)OUTLIVE_TASK=(bgb-[^\0]+)/.exec(readOr(`/proc/${pid}/environ`, ''))?.[1] ?? null;
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

/** Memory of processes without what is in a file: the code of a program that was just built counts as dirty, too. */
export function anonymousKib(processes: readonly number[]): number {
  const each = processes.map(
    (pid) => /^Anonymous:\s+(\d+) kB/m.exec(readOr(`/proc/${pid}/smaps_rollup`, ''))?.[1],
  );
  return each.reduce((sum, kib) => sum + Number(kib ?? 0), 0);
}

/** Milliseconds of CPU that the whole machine has been idle so far, over all of them. */
export function idleMs(): number {
  const idleTicks = Number(readOr('/proc/stat', '').split(/\s+/)[4]);
  return idleTicks * 10;
}
