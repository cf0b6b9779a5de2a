import { readdirSync, readFileSync } from 'node:fs';
import { yieldToOthers } from '../util/wait.ts';
import { cookieVariable, type ProcessUsage } from './system.ts';

/** Processes looked at between two turns of the event loop. */
const batch = 128;

/** Length of a clock tick in /proc/PID/stat; see src/model/times.ts. */
const tickMs = 10;

/** What the processes with one of the cookies use now. */
export async function usage(cookies: ReadonlySet<string>): Promise<ProcessUsage[]> {
  const found: ProcessUsage[] = [];
  let looked = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    looked += 1;
    if (looked % batch === 0) await yieldToOthers();
    const cookie = cookieOf(entry);
    if (cookie === null || !cookies.has(cookie)) continue;
    const memoryBytes = residentBytes(entry);
    // A zombie has no memory of its own any more.
    if (memoryBytes === null) continue;
    found.push({ pid: Number(entry), cookie, memoryBytes, cpuMs: cpuMs(entry) });
  }
  return found;
}

function cookieOf(pid: string): string | null {
  const environ = read(`/proc/${pid}/environ`);
  const match = environ === null ? null : new RegExp(`(?:^|\0)${cookieVariable}=([^\0]*)`).exec(environ);
  return match?.[1] ?? null;
}

function residentBytes(pid: string): number | null {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
  return match === null ? null : Number(match[1]) * 1024;
}

/** The scheduler's own count of each thread, in nanoseconds, where the kernel has it; else whole clock ticks. */
function cpuMs(pid: string): number {
  let nanoseconds = 0;
  for (const thread of threads(pid)) {
    const spent = read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0];
    if (spent === undefined) return ticks(pid) * tickMs;
    nanoseconds += Number(spent);
  }
  return nanoseconds / 1e6;
}

function threads(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** User and system time: the 12th and 13th field behind the name in brackets. */
function ticks(pid: string): number {
  const stat = read(`/proc/${pid}/stat`) ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Gone meanwhile, or another user's.
    return null;
  }
}
