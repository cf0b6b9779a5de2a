import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { tolerate } from '../../errors/expected.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { withMachine } from '../machine.ts';
import { sendSignal } from '../signal.ts';
import { type Clues, type Member, type ProcessView, processKey, type System } from '../system.ts';
import { killGroup, pidsOfGroup } from './cgroup.ts';
import { environmentOf } from './environment-of.ts';
import { asMember, Sorting } from './kin.ts';
import { readMachineId } from './machine.ts';
import { isOpenSomewhere } from './open-files.ts';
import {
  carries,
  cookieIn,
  cookieOf,
  environOf,
  isAnother,
  isOwnProc,
  isSomebodyElses,
  namesInProc,
  parseStat,
  readProcFile,
  readProcRecord,
  unseen,
} from './proc.ts';
import { chase, environInTheEnd, isExecuting, lastPid, scan, view, viewOfOther } from './process-list.ts';
import { usage, usageAgain } from './usage.ts';

/** How many scans it takes at most to say that nothing is there, on a machine that forks all the time. */
const mostScans = 3;

/** Linux: everything is in /proc. */
export const linux: System = {
  lookMs: 2,
  self: () => {
    own ??= readOwnIdentity();
    return own;
  },
  view,
  isSuspended,
  carries,
  isOpen: isOpenSomewhere,
  members,
  strike,
  usage,
  usageAgain,
  cookieOf,
  environmentOf: async (command, shimPid) => await environmentOf(command, shimPid),
  membersOfCgroup,
  killCgroup,
  namespaceIsAlive,
};

let own: ProcessIdentity | undefined;

function readOwnIdentity(): ProcessIdentity {
  const namespace = namespaceOf('self') ?? '';
  // In the /proc of another namespace nothing can be judged: no process is of here then.
  const pidNamespace = isOwnProc() ? namespace : `${namespace} unseen`;
  const identity = {
    pid: process.pid,
    start: parseStat(readProcRecord('/proc/self/stat') ?? '')?.start ?? null,
    boot: readProcFile('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    pidNamespace,
    host: hostname(),
  };
  // A container has the id of its image, on every machine that it runs on, or that of the machine, as it happens.
  const machineId = pidNamespace === initialNamespace ? readMachineId() : null;
  return machineId === null ? identity : withMachine(identity, () => machineId);
}

function isSuspended({ pid, suspended }: ProcessView): boolean {
  return suspended || childrenOf(pid).some((child) => isStopped(child) || isHeldByStopped(child));
}

/** A shell that has called vfork() cannot be stopped until its child runs a program; that child can. */
function isHeldByStopped(pid: number): boolean {
  const stat = readProcRecord(`/proc/${pid}/stat`) ?? '';
  return stat.startsWith(' D ', stat.lastIndexOf(')') + 1) && childrenOf(pid).some(isStopped);
}

function isStopped(pid: number): boolean {
  return view(pid)?.suspended ?? false;
}

function childrenOf(pid: number): number[] {
  const text = readProcFile(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text.split(' ').map(Number).filter(Boolean);
}

async function members(
  cookie: string,
  group: number | null,
  since: number | null,
  clues?: Clues,
): Promise<Member[]> {
  for (let scans = 1; ; scans += 1) {
    const { found, isWhole } = await membersInScan(cookie, group, since, clues);
    if (isWhole || found.length > 0 || scans === mostScans) return found;
  }
}

async function membersInScan(
  cookie: string,
  group: number | null,
  since: number | null,
  clues?: Clues,
): Promise<{ found: Member[]; isWhole: boolean }> {
  const sorted = new Sorting(cookie, group);
  const met = new Set<string>();
  const meet = async (seen: ProcessView): Promise<void> => {
    // What was there before the shim does not descend from it; most need no further look.
    if (isOlder(seen, since) || met.has(processKey(seen))) return;
    met.add(processKey(seen));
    sorted.add(seen, await environInTheEnd(seen));
  };
  const { rows, last } = await scan();
  for (const seen of rows) await meet(seen);
  const isWhole = await chase(last, meet);
  return { found: sorted.members(clues), isWhole };
}

function isOlder({ start }: ProcessView, since: number | null): boolean {
  return since !== null && (start ?? 0) < since;
}

async function strike(
  cookie: string,
  killSignal: NodeJS.Signals,
  known: Set<string>,
  spare: number | null,
  since: number | null,
): Promise<number> {
  const struck = new Set([...known].map((key) => Number.parseInt(key, 10)));
  const before = known.size;
  const meet = (seen: ProcessView, environ: string | null): void => {
    const isChild = struck.has(seen.parent) && !isSomebodyElses(environ, cookie);
    if (!isChild && cookieIn(environ) !== cookie) return;
    // While it executed a program somebody else may have got its pid.
    if (view(seen.pid)?.start !== seen.start || !sendSignal(seen.pid, killSignal)) return;
    known.add(processKey(seen));
    struck.add(seen.pid);
  };
  const isNews = (seen: ProcessView): boolean => seen.pid !== spare && !known.has(processKey(seen));
  const last = lastPid();
  const executing: ProcessView[] = [];
  const pids = namesInProc().map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => b - a)) {
    const seen = viewOfOther(pid);
    if (seen === null || !isNews(seen)) continue;
    const environ = environOf(pid);
    if (environ === '' && !isOlder(seen, since) && isExecuting(seen)) executing.push(seen);
    else meet(seen, environ);
  }
  for (const seen of executing) meet(seen, await environInTheEnd(seen));
  await chase(last, async (seen) => {
    if (isNews(seen)) meet(seen, await environInTheEnd(seen));
  });
  return known.size - before;
}

/**
 * Whether a process in the cgroup of a task belongs to another task that was spawned in there. A process that is just
 * executing a program has no environment to look at for a moment; then the leader of its session tells, which is the
 * shim of its task.
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
  } catch (error) {
    tolerate(error, unseen, 'checking a namespace');
    return null;
  }
}

/** Whether a pid namespace is that of the machine itself. */
export function isFirstNamespace(namespace: string): boolean {
  return namespace === initialNamespace;
}
