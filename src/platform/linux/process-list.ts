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

/** That a number is nobody's costs some microseconds: so many are gone through before a new scan is the better way. */
const chasedPids = 1_024;

/** What forks faster than it can be looked at is given up after so many rounds. */
const chaseRounds = 50;

/**
 * So long a process is waited for that executes a program, in milliseconds. It takes less than one, but on a machine
 * so busy that it gets no turn in between; and nothing but such a process, or one that is ending, looks like that.
 */
const executesMs = 2_000;

/** A look at all live processes but this one. */
export interface Scan {
  readonly rows: readonly ProcessView[];
  /** The last pid that was given out before it began, see {@link lastPid}. */
  readonly last: number | null;
}

/** A look at one process; null when there is none. */
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
 * All live processes but this one. Who asks while a scan runs shares the next one with all others that do, since
 * the running one may have passed by what he looks for: many tasks that end together cost two scans.
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
 * Looks at the processes that have come since a look at all of them, until none came meanwhile: then none is alive that
 * was not seen alive. A listing alone is of no one moment: what forks and ends all the time slips through it. The
 * kernel gives out pids in order, so who came has one of the few behind the last.
 * @param last the last pid that was given out before that look.
 * @returns false when another scan may tell more: too many came, or pids began again at the bottom.
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
