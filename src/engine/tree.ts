import { realpathSync } from 'node:fs';
import { systemCode } from '../errors/error.ts';
import { type Facts, shimOf } from '../model/fold.ts';
import { bounds } from '../model/limits.ts';
import type { Leftover } from '../model/words.ts';
import { pidExists } from '../platform/identity.ts';
import { type Member, processKey, type System } from '../platform/system.ts';
import { shimMark } from '../shim/posix.ts';
import { taskPaths } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';
import { groupOf } from './resources.ts';

/** What is needed to find the processes of a task. */
export interface Tree {
  readonly cookie: string;
  /** The shim: its pid is the process group. Unknown until it has started. */
  readonly shim: { readonly pid: number; readonly start: number | null } | null;
  /** When the shim wrote its exit marker, in the unit of start times; null when that is not known. */
  readonly shimEnd: number | null;
  /** The shim waits for its turn: it may suspend itself just after it was continued, and must be continued again. */
  readonly isQueued: boolean;
  /** The files that it writes to, by the names under which the system knows them. */
  readonly outputs: () => readonly string[];
  /** The cgroup that the command and all that descends from it is in; the shim is not. */
  readonly cgroup: string | null;
}

/** Processes known to be the task's, as {@link processKey}. */
export type KnownProcesses = ReadonlySet<string>;

const nobodyKnown: KnownProcesses = new Set();

/** Kernel start times on Linux count hundredths of a second. */
const ticksPerSecond = 100;

/** The tree of a task from its facts; `pid` is what the spawner knows of the shim before the log says so. */
export function treeOf(context: SessionContext, taskId: string, facts: Facts, pid: number | null): Tree {
  const { system } = context.store;
  const { spec, exit } = facts;
  const shim = shimOf(facts) ?? (pid === null ? null : { pid, start: system.view(pid)?.start ?? null });
  // Without a readable spec there is no cookie; no process carries the empty one.
  return {
    cookie: spec?.cookie ?? '',
    shim: shim === null ? null : { pid: shim.pid, start: shim.start },
    shimEnd: exit?.uptime == null ? null : exit.uptime * ticksPerSecond,
    cgroup: groupOf(facts),
    isQueued: facts.waiting !== undefined && facts.started === undefined,
    outputs: () => outputsOf(context, taskId),
  };
}

function outputsOf({ paths }: SessionContext, taskId: string): string[] {
  try {
    const { stdout, stderr } = taskPaths({ ...paths, output: realpathSync(paths.output) }, taskId);
    return [stdout, stderr];
  } catch {
    return [];
  }
}

/** Every live process of a task: its group, whoever carries the cookie, and who is known by other clues. */
export async function findMembers(
  tree: Tree,
  system: System,
  known: KnownProcesses = nobodyKnown,
): Promise<Member[]> {
  const { cookie, shim, outputs } = tree;
  const found = await system.members(cookie, shim?.pid ?? null, shim?.start ?? null, { known, outputs });
  return withCgroup(tree, ours(tree, found, system, known), system);
}

/** Those in the cgroup are the task's, whatever has become of their group and their environment. */
function withCgroup({ cgroup, cookie }: Tree, found: Member[], system: System): Member[] {
  if (cgroup === null) return found;
  const known = new Set(found.map(({ pid }) => pid));
  return [...found, ...system.membersOfCgroup(cgroup, cookie).filter(({ pid }) => !known.has(pid))];
}

/** The same at once, or null when that cannot be told cheaply. */
export function findMembersQuickly(
  tree: Tree,
  system: System,
  strangers: ReadonlySet<number>,
): Member[] | null {
  if (tree.shim === null) return null;
  const { cookie, shim, outputs } = tree;
  const found = system.membersQuickly(cookie, shim.pid, strangers, { known: nobodyKnown, outputs });
  return found === null ? null : withCgroup(tree, ours(tree, found, system, nobodyKnown), system);
}

/**
 * Leaves out strangers. The number of a process group is not used again while one of its members lives, so
 * the group is the task's own when its shim is still there (be it as a zombie), or when one member is the
 * task's beyond doubt. Otherwise the number may have gone to somebody else, and only the cookie tells.
 */
function ours(tree: Tree, found: Member[], system: System, known: KnownProcesses): Member[] {
  if (found.length === 0 || groupIsOurs(tree, found, system, known)) return found;
  return found.filter((member) => member.hasCookie);
}

/** Whether a signal to the process group of the task's shim reaches that task alone. */
export function groupIsOurs(
  tree: Tree,
  members: readonly Member[],
  system: System,
  known: KnownProcesses,
): boolean {
  const { shim } = tree;
  if (shim === null) return false;
  const leader = system.view(shim.pid);
  if (leader !== null) return shim.start !== null && leader.start === shim.start;
  return members.some((member) => member.group === shim.pid && isBeyondDoubt(member, tree, known));
}

/** It carries the cookie, was seen in the group before, or started in it while the number was the shim's. */
function isBeyondDoubt(member: Member, { shim, shimEnd }: Tree, known: KnownProcesses): boolean {
  if (member.hasCookie || known.has(processKey(member))) return true;
  if (shim === null || shim.start === null || shimEnd === null || member.start === null) return false;
  return member.start >= shim.start && member.start <= shimEnd;
}

/** Sends a signal to a process after a last look that it is still the same one. False when it is gone. */
export function signalMember(member: Leftover, killSignal: NodeJS.Signals, system: System): boolean {
  if (system.signal !== undefined) return system.signal(member.pid, member.start, killSignal);
  if (member.start !== null && system.view(member.pid)?.start !== member.start) return false;
  return send(member.pid, killSignal);
}

/** Sends a signal to a process group that was verified just before. */
export function signalGroup(group: number, killSignal: NodeJS.Signals): boolean {
  return send(-group, killSignal);
}

function send(target: number, killSignal: NodeJS.Signals): boolean {
  try {
    process.kill(target, killSignal);
    return true;
  } catch (error) {
    // ESRCH: gone meanwhile. EPERM: another user's (setuid), or on macOS a group of zombies.
    if (['ESRCH', 'EPERM'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** Whether a process that was seen is gone: no such pid, a zombie, or another process by now. */
export function isGone(member: { pid: number; start: number | null }, system: System): boolean {
  if (!pidExists(member.pid)) return true;
  const seen = system.view(member.pid);
  return seen === null || seen.zombie || (member.start !== null && seen.start !== member.start);
}

/** The processes that are the command's, not the shim's own: without the shim, its timer and the timer's sleep. */
export function withoutShim(members: readonly Member[], shimPid: number | null): Member[] {
  const timers = new Set(shimTimers(members, shimPid).map((timer) => timer.pid));
  return members.filter(({ pid, parent }) => pid !== shimPid && !timers.has(pid) && !timers.has(parent));
}

/**
 * Timers of a shim. One that outlives its shim (somebody sent SIGKILL to the shim alone) still holds its timeout. Of a
 * shim that ended before it was recorded the pid is not known, but its timer is in the group that it led.
 */
export function shimTimers(members: readonly Member[], shimPid: number | null): Member[] {
  return members.filter(
    ({ pid, group, hasCookie, command }) =>
      pid !== (shimPid ?? group) &&
      (shimPid === null ? hasCookie : group === shimPid) &&
      command.includes(`-c : ${shimMark}`),
  );
}

/** Processes as an outcome names them. */
export function asLeftovers(members: readonly Member[]): Leftover[] {
  return members.slice(0, bounds.leftovers).map(({ pid, command, start }) => ({ pid, command, start }));
}
