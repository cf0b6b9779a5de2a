import { realpathSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { type Facts, shimOf } from '../../model/fold.ts';
import { bounds } from '../../model/limits.ts';
import type { Leftover } from '../../model/words.ts';
import { pidExists } from '../../platform/identity.ts';
import type { NamedProcess } from '../../platform/signal.ts';
import { type Member, processKey, type System } from '../../platform/system.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { groupOf } from './cgroup.ts';

/** What is needed to find the processes of a task. */
export interface Tree {
  readonly cookie: string;
  /** The shim. Unknown until it waits, or the command has started. */
  readonly shim: NamedProcess | null;
  /** The command, whose pid is the process group. */
  readonly command: NamedProcess | null;
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

/** The tree of a task from its facts, and from what is known here while they cannot be read. */
export function treeOf(context: SessionContext, taskId: string, facts: Facts): Tree {
  const live = context.live.get(taskId);
  const { spec, started } = facts;
  const shim = shimOf(facts) ?? live?.shim ?? null;
  const command = started ?? live?.command ?? null;
  // Without a readable spec there is no cookie; no process carries the empty one.
  return {
    cookie: spec?.cookie ?? live?.cookie ?? '',
    shim: shim === null ? null : { pid: shim.pid, start: shim.start },
    command: command === null ? null : { pid: command.pid, start: command.start },
    cgroup: groupOf(facts),
    isQueued: facts.waiting !== undefined && started === undefined,
    outputs: () => outputsOf(context, taskId),
  };
}

function outputsOf({ paths }: SessionContext, taskId: string): string[] {
  try {
    const found = taskPaths({ ...paths, output: realpathSync(paths.output) }, taskId);
    return [found.stdout, found.stderr, found.stdoutFifo, found.stderrFifo];
  } catch (error) {
    // Then outlive recognizes no process by the file it writes to.
    tolerate(error, passing, 'finding the output of a task');
    return [];
  }
}

/** Every live process of a task: its group, all that carry the cookie or descend from the shim, and those known by other clues. */
export async function findMembers(
  tree: Tree,
  system: System,
  seen: KnownProcesses = nobodyKnown,
): Promise<Member[]> {
  const { cookie, shim, command, outputs } = tree;
  const named = [shim, command].flatMap((one) => (one === null ? [] : [processKey(one)]));
  const known = new Set([...seen, ...named]);
  const found = await system.members(cookie, command?.pid ?? null, shim?.start ?? null, { known, outputs });
  return withCgroup(tree, ours(tree, found, system, known), system);
}

/** Those in the cgroup are the task's, whatever has become of their group and their environment. */
function withCgroup({ cgroup, cookie }: Tree, found: Member[], system: System): Member[] {
  if (cgroup === null) return found;
  const known = new Set(found.map(({ pid }) => pid));
  return [...found, ...system.membersOfCgroup(cgroup, cookie).filter(({ pid }) => !known.has(pid))];
}

/**
 * Leaves out strangers. The number of a process group is not used again while one of its members lives, so
 * the group is the task's own when the command is still there (be it as a zombie), or when one member is the
 * task's beyond doubt. Otherwise the number may have gone to somebody else, and only the cookie tells.
 */
function ours(tree: Tree, found: Member[], system: System, known: KnownProcesses): Member[] {
  if (found.length === 0 || groupIsOurs(tree, found, system, known)) return found;
  return found.filter((member) => member.hasCookie || known.has(processKey(member)));
}

/** Whether a signal to the process group of the task's command reaches that task alone. */
export function groupIsOurs(
  { command }: Tree,
  members: readonly Member[],
  system: System,
  known: KnownProcesses,
): boolean {
  if (command === null) return false;
  const leader = system.view(command.pid);
  if (leader !== null) return command.start !== null && leader.start === command.start;
  return members.some(
    (member) => member.group === command.pid && (member.hasCookie || known.has(processKey(member))),
  );
}

/** Whether a process that was seen is gone: no such pid, a zombie, or another process by now. */
export function isGone(member: { pid: number; start: number | null }, system: System): boolean {
  if (!pidExists(member.pid)) return true;
  const seen = system.view(member.pid);
  return seen === null || seen.zombie || (member.start !== null && seen.start !== member.start);
}

/** Processes as an outcome names them. */
export function asLeftovers(members: readonly Member[]): Leftover[] {
  return members.slice(0, bounds.leftovers).map(({ pid, command, start }) => ({ pid, command, start }));
}
