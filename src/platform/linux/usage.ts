import { readdirSync, readFileSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { yieldToOthers } from '../../util/wait.ts';
import type { ProcessUsage } from '../system.ts';
import { namesInProc, parseStatUsage, readProcRecord, type StatUsage, unseen } from './proc.ts';

/** Processes looked at between two turns of the event loop. */
const batch = 128;

/** Length of a clock tick in /proc/PID/stat; see src/model/times.ts. */
const tickMs = 10;

/** What every process that is no kernel thread uses now. Whose they are is asked later, of those that matter. */
export async function usage(): Promise<ProcessUsage[]> {
  const found: ProcessUsage[] = [];
  let looked = 0;
  for (const entry of namesInProc()) {
    if (!/^\d+$/.test(entry)) continue;
    looked += 1;
    if (looked % batch === 0) await yieldToOthers();
    const seen = look(entry);
    if (seen !== null) found.push({ pid: Number(entry), cookie: null, ...seen });
  }
  return found;
}

/** What processes that were seen before use now; those that are gone are left out. */
export async function usageAgain(seen: readonly ProcessUsage[]): Promise<ProcessUsage[]> {
  return seen.flatMap((before) => {
    // A moment later the memory is much the same, and the scheduler's count alone costs half.
    const cpuMs = before.threads === 1 ? preciseCpuMs(String(before.pid), 1) : null;
    const now = cpuMs === null ? look(String(before.pid)) : { cpuMs };
    return now === null ? [] : [{ ...before, ...now }];
  });
}

/** A zombie uses nothing, nor does what has no memory (any more). */
function look(pid: string): Omit<ProcessUsage, 'pid' | 'cookie'> | null {
  const text = readProcRecord(`/proc/${pid}/stat`, 'latin1');
  const stat = text === null ? null : parseStatUsage(text);
  if (stat === null || stat.view.zombie || !stat.hasMemory) return null;
  const { view, threads, pages } = stat;
  return { memoryBytes: pages * pageBytes(), cpuMs: cpuMsOf(pid, stat), threads, view };
}

/**
 * Most that lead a session are shims, which wait. One that has used less than a tick in all its life is not asked for
 * more: it counts as a tick.
 */
function cpuMsOf(pid: string, { view, cpuTicks, threads }: StatUsage): number {
  if (view.pid === view.session && cpuTicks === 0) return tickMs;
  return preciseCpuMs(pid, threads) ?? cpuTicks * tickMs;
}

/** The scheduler's own count of each thread, in nanoseconds, where the kernel has it. */
function preciseCpuMs(pid: string, threads: number): number | null {
  // A process's own file counts its first thread alone.
  const folders = threads === 1 ? [`/proc/${pid}`] : threadsOf(pid).map((id) => `/proc/${pid}/task/${id}`);
  let nanoseconds = 0;
  for (const folder of folders) {
    const spent = readProcRecord(`${folder}/schedstat`, 'latin1')?.split(' ')[0];
    if (spent === undefined) return null;
    nanoseconds += Number(spent);
  }
  return nanoseconds / 1e6;
}

function threadsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    tolerate(error, unseen, 'checking the threads of a process');
    return [];
  }
}

let page: number | undefined;

/** AT_PAGESZ of the auxiliary vector that the kernel gives to each process: pairs of words. 4 KiB where it is not told. */
function pageBytes(): number {
  if (page !== undefined) return page;
  page = 4096;
  try {
    const pairs = new BigUint64Array(new Uint8Array(readFileSync('/proc/self/auxv')).buffer);
    for (let i = 0; i + 1 < pairs.length; i += 2) if (pairs[i] === 6n) page = Number(pairs[i + 1]);
  } catch (error) {
    // No such file in some sandboxes.
    tolerate(error, unseen, 'asking for the size of a page');
  }
  return page;
}
