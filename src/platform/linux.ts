import { existsSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../model/words.ts';
import { monotonicMs, sleep, yieldToOthers } from '../util/wait.ts';
import { killGroup, pidsOfGroup } from './cgroup.ts';
import { asMember, Sorting } from './linux-kin.ts';
import { usage, usageAgain } from './linux-usage.ts';
import {
  carries,
  cookieIn,
  cookieOf,
  environOf,
  isAnother,
  isSomebodyElses,
  namesInProc,
  parseStat,
  readProcFile,
  readProcRecord,
} from './proc.ts';
import { type Clues, type Member, type ProcessView, processKey, type System } from './system.ts';

/** Processes looked at between two turns of the event loop. */
const batch = 64;

/** So many pids are worth a direct look each, which is cheaper than listing /proc. */
const directLooks = 64;

/** Linux: everything is in /proc. */
export const linux: System = {
  lookMs: 2,
  shimsKnowTheirStart: true,
  self: () => {
    own ??= readOwnIdentity();
    return own;
  },
  view,
  isSuspended,
  carries,
  members,
  membersQuickly,
  strike,
  usage,
  usageAgain,
  cookieOf,
  membersOfCgroup,
  killCgroup,
  namespaceIsAlive,
};

let own: ProcessIdentity | undefined;

function readOwnIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    start: view(process.pid)?.start ?? null,
    boot: readProcFile('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    pidNamespace: namespaceOf('self') ?? '',
    host: hostname(),
  };
}

function view(pid: number): ProcessView | null {
  const text = readProcRecord(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

function isSuspended({ pid: shimPid, suspended }: ProcessView): boolean {
  if (suspended) return true;
  const children = readProcFile(`/proc/${shimPid}/task/${shimPid}/children`)?.trim().split(' ') ?? [];
  return children.map(Number).some((pid) => pid > 0 && (view(pid)?.suspended ?? false));
}

async function members(
  cookie: string,
  group: number | null,
  since: number | null,
  clues?: Clues,
): Promise<Member[]> {
  const sorted = new Sorting(cookie, group, since);
  for (const seen of await scan()) {
    // What was there before the shim does not descend from it; most need no further look.
    if (since !== null && (seen.start ?? 0) < since) continue;
    sorted.add(seen, await environInTheEnd(seen));
  }
  return sorted.members(clues);
}

/**
 * So long a process is waited for that executes a program, in milliseconds. It takes less than one, but on a machine
 * so busy that it gets no turn in between; and nothing but such a process, or one that is ending, looks like that.
 */
const executesMs = 2_000;

/** What a process has in its environment. One that executes a program shows nothing for a moment: that is waited for. */
async function environInTheEnd(seen: ProcessView): Promise<string | null> {
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
function isExecuting({ pid, group }: ProcessView): boolean {
  const showsNothing = group !== 0 && readProcRecord(`/proc/${pid}/cmdline`, 'latin1') === '';
  return showsNothing && view(pid)?.zombie === false;
}

let scanning: Promise<ProcessView[]> | null = null;
let nextScan: Promise<ProcessView[]> | null = null;

/**
 * All live processes but this one. Who asks while a scan runs shares the next one with all others that do, since
 * the running one may have passed by what he looks for: many tasks that end together cost two scans.
 */
function scan(): Promise<ProcessView[]> {
  if (scanning === null) {
    scanning = scanNow().finally(() => {
      scanning = null;
    });
    return scanning;
  }
  nextScan ??= scanning
    .catch(() => undefined)
    .then(() => {
      nextScan = null;
      return scan();
    });
  return nextScan;
}

async function scanNow(): Promise<ProcessView[]> {
  const rows: ProcessView[] = [];
  let looked = 0;
  for (const entry of namesInProc()) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const seen = view(pid);
    if (seen !== null && !seen.zombie) rows.push(seen);
    looked += 1;
    if (looked % batch === 0) await yieldToOthers();
  }
  return rows;
}

/**
 * The kernel hands out pids in order, so whatever descends from the shim has a pid behind the shim's and up
 * to the last one given (in /proc/loadavg). For a short task these are a handful.
 */
function membersQuickly(
  cookie: string,
  group: number,
  strangers: ReadonlySet<number>,
  clues?: Clues,
): Member[] | null {
  const last = lastPid();
  if (last === null || last < group || last - group > directLooks) return null;
  const sorted = new Sorting(cookie, group, null);
  for (let pid = group; pid <= last; pid += 1) {
    // Most are gone, and asking first spares an exception for each.
    if (strangers.has(pid) || !existsSync(`/proc/${pid}`)) continue;
    const seen = view(pid);
    // Nobody can enter the session of another task's shim.
    if (seen === null || seen.zombie || pid === process.pid || strangers.has(seen.session)) continue;
    const environ = environOf(pid);
    // Perhaps it executes a program just now: that is worth a second look.
    if (environ === '' && seen.group !== 0) return null;
    sorted.add(seen, environ);
  }
  return sorted.members(clues);
}

async function strike(
  cookie: string,
  killSignal: NodeJS.Signals,
  known: Set<string>,
  spare: number | null,
): Promise<number> {
  const pids = namesInProc().map(Number).filter(Number.isInteger);
  const struck = new Set([...known].map((key) => Number.parseInt(key, 10)));
  let fresh = 0;
  for (const pid of pids.sort((a, b) => b - a)) {
    if (pid === process.pid || pid === spare) continue;
    const seen = view(pid);
    if (seen === null || seen.zombie || known.has(processKey(seen))) continue;
    const environ = environOf(pid);
    const isChild = struck.has(seen.parent) && !isSomebodyElses(environ, cookie);
    if (!isChild && cookieIn(environ) !== cookie) continue;
    try {
      process.kill(pid, killSignal);
      known.add(processKey(seen));
      struck.add(pid);
      fresh += 1;
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return fresh;
}

/**
 * Whether a process in the cgroup of a task belongs to somebody else: a task that was spawned in there, or a sentinel,
 * which with its keeper looks after such tasks. A process that is just executing a program has no environment to look
 * at for a moment; then the leader of its
 * session tells, which is the shim of its task.
 */
function isOfAnotherTask(pid: number, cookie: string): boolean {
  const environ = environOf(pid);
  if (isSomebodyElses(environ, cookie)) return true;
  return cookieIn(environ) === null && isAnother(cookieOf(view(pid)?.session ?? pid), cookie);
}

function membersOfCgroup(dir: string, cookie: string): Member[] {
  return pidsOfGroup(dir).flatMap((pid) => {
    const seen = pid === process.pid || isOfAnotherTask(pid, cookie) ? null : view(pid);
    return seen === null || seen.zombie ? [] : [asMember(seen, carries(pid, cookie))];
  });
}

function killCgroup(dir: string, cookie: string): void {
  if (!pidsOfGroup(dir).some((pid) => pid === process.pid || isOfAnotherTask(pid, cookie))) killGroup(dir);
}

function lastPid(): number | null {
  const last = Number(readProcFile('/proc/loadavg')?.trim().split(' ').at(-1));
  return Number.isInteger(last) && last > 0 ? last : null;
}

/**
 * A namespace that some visible process is in is alive. The first namespace of the machine has a fixed
 * number and lives as long as the machine does, seen or not.
 */
function namespaceIsAlive(namespace: string): boolean {
  if (namespace === initialNamespace) return true;
  for (const entry of namesInProc()) {
    if (/^\d+$/.test(entry) && namespaceOf(entry) === namespace) return true;
  }
  return false;
}

/** PROC_PID_INIT_INO of the kernel. */
const initialNamespace = `pid:[${0xeffffffc}]`;

/** PROC_TIME_INIT_INO of the kernel. */
const initialTime = `time:[${0xeffffffa}]`;

/**
 * The pid namespace of a process. In another time namespace than the machine's the kernel tells other start times of the
 * same processes and another time since boot, so nobody outside can judge by them: its name belongs to the first.
 */
function namespaceOf(pid: string): string | null {
  const [pids, time] = [readNamespace(pid, 'pid'), readNamespace(pid, 'time')];
  return pids === null || time === null || time === initialTime ? pids : `${pids} ${time}`;
}

function readNamespace(pid: string, kind: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return null;
  }
}
