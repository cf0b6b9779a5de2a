import { existsSync } from 'node:fs';
import { monotonicMs, sleep, yieldToOthers } from '../../util/wait.ts';
import type { ProcessView } from '../system.ts';
import {
  environOf,
  namesInProc,
  parseStat,
  parseStatOfProcess,
  readProcFile,
  readProcRecord,
} from './proc.ts';

/** Processes looked at between two turns of the event loop. */
const batch = 64;

/** To find a pid unused costs some microseconds: it tries this many before a new scan is cheaper. */
const chasedPids = 1_024;

/** It gives up after this many rounds on processes that fork faster than it can check them. */
const chaseRounds = 50;

/**
 * How long to wait for a process that is executing a program, in milliseconds. That takes less than one millisecond,
 * except on a machine so busy that the process gets no turn. Only such a process, or one that is ending, looks like
 * that.
 */
const executesMs = 2_000;

/** A look at all live processes but this one. */
export interface Scan {
  readonly rows: readonly ProcessView[];
  /** The last pid that was given out before it began, see {@link lastPid}. */
  readonly last: number | null;
}

/** Reads one process; null if there is none. */
export function view(pid: number): ProcessView | null {
  const text = readProcRecord(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

/** What a process has in its environment. One that executes a program shows nothing for a moment: that is waited for. */
export async function environInTheEnd(seen: ProcessView): Promise<string | null> {
  const begin = monotonicMs();
  for (;;) {
    const environ = environOf(seen.pid);
    if (environ !== '') return environ;
    // Empty is also what is read of a memory that was replaced between the opening and the reading of the file.
    if (monotonicMs() - begin >= executesMs || !isExecuting(seen)) return environOf(seen.pid);
    await sleep(1);
  }
}

/** What has no environment has no arguments either while it executes. The kernel's own threads have no group. */
export function isExecuting({ pid, group }: ProcessView): boolean {
  const showsNothing = group !== 0 && readProcRecord(`/proc/${pid}/cmdline`, 'latin1') === '';
  return showsNothing && view(pid)?.zombie === false;
}

let scanning: Promise<Scan> | null = null;
let nextScan: Promise<Scan> | null = null;

/**
 * All live processes but this one. Callers that ask while a scan runs share the next scan, because the running one may
 * have passed by the process they look for. So many tasks that end together cost two scans.
 */
export function scan(): Promise<Scan> {
  if (scanning === null) {
    scanning = scanNow().finally(() => {
      scanning = null;
    });
    return scanning;
  }
  nextScan ??= scanning
    // Its error is for those who wait for that scan.
    .catch(() => undefined)
    .then(() => {
      nextScan = null;
      return scan();
    });
  return nextScan;
}

async function scanNow(): Promise<Scan> {
  const last = lastPid();
  const rows: ProcessView[] = [];
  let looked = 0;
  for (const entry of namesInProc()) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const seen = viewOfOther(pid);
    if (seen !== null) rows.push(seen);
    looked += 1;
    if (looked % batch === 0) await yieldToOthers();
  }
  return { rows, last };
}

/**
 * Checks the processes that started after a scan of all of them, until no new one starts: then it has seen every live
 * process. A process list is not a snapshot: a process that keeps forking and ending can be missing from it. The kernel
 * assigns pids in order, so a new process has one of the few pids after the last one.
 * @param last the last pid that was assigned before that scan.
 * @returns false if another scan may show more: too many processes started, or pids began again at the bottom.
 */
export async function chase(
  last: number | null,
  visit: (seen: ProcessView) => Promise<void>,
): Promise<boolean> {
  let behind = last;
  for (let round = 0; round < chaseRounds; round += 1) {
    const now = lastPid();
    if (behind === null || now === null || now === behind) return true;
    if (now < behind || now - behind > chasedPids) return false;
    for (let pid = behind + 1; pid <= now; pid += 1) {
      const seen = viewByNumber(pid);
      if (seen !== null) await visit(seen);
    }
    behind = now;
  }
  return false;
}

/** A look at a live process that is not this one, and is known to be a process. */
export function viewOfOther(pid: number): ProcessView | null {
  if (pid === process.pid) return null;
  const seen = view(pid);
  return seen === null || seen.zombie ? null : seen;
}

/** The same of a number that may be nobody's, or a thread's: /proc lists no threads, but shows them to who asks. */
function viewByNumber(pid: number): ProcessView | null {
  // Most are gone, and asking first spares an exception for each.
  if (pid === process.pid || !existsSync(`/proc/${pid}`)) return null;
  const text = readProcRecord(`/proc/${pid}/stat`);
  const seen = text === null ? null : parseStatOfProcess(text);
  return seen === null || seen.zombie ? null : seen;
}

/** The last pid that the kernel has given out, to a process or a thread; null where it is not told. */
export function lastPid(): number | null {
  const last = Number(readProcFile('/proc/loadavg')?.trim().split(' ').at(-1));
  return Number.isInteger(last) && last > 0 ? last : null;
}
