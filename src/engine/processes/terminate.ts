import { signalGroup, signalMember } from '../../platform/signal.ts';
import { type Member, processKey, type System } from '../../platform/system.ts';
import { monotonicMs, sleep } from '../../util/wait.ts';
import { findMembers, groupIsOurs, isGone, type Tree } from './members.ts';

/** The pause between two checks of processes that are about to end grows to this, or to twice the first. */
const longestLookMs = 50;

/** How often it checks all processes while some live. For a queued task it may also have to wake the shim. */
const longestPauseMs = 500;
const queuedLookMs = 20;

/** How long SIGKILL may take to work (a process in an uninterruptible call dies later, and is reported). */
const killTakesMs = 2_000;

/** How long the shim may take to record the exit code of a command that a signal killed. */
const shimTakesMs = 1_000;

/**
 * A scan of all processes may take long on a busy machine. This is how many scans it takes before it calls a process a
 * survivor.
 */
const fewestLooks = 10;

/** Without signals: how long a shim has to start its command, or to end after it. */
const beginsMs = 50;

/** It gives up after this many rounds on a tree that forks faster than it can freeze it. */
const freezeRounds = 300;

/** How many scans in a row must find nothing new: not every system shows whether a process outran a single scan. */
const quietRounds = 4;

/** How a tree is brought to its end. The values may change while it is on its way. */
export interface Ending {
  readonly tree: Tree;
  readonly system: System;
  /** The first signal; SIGKILL skips the grace. Null: it was sent already. */
  killSignal: NodeJS.Signals | null;
  /** When the grace is over, in milliseconds of `monotonicMs()`. */
  graceEndsAt: number;
  /** Whether the first signal went out. Cleared, together with a new signal, it goes out again. */
  told: boolean;
  /** All processes of the task that were seen on the way, as `pid:start`. */
  readonly seen: Set<string>;
  /** Set it to check the processes at once. */
  hurry: boolean;
}

/** An ending about to begin. */
export function ending(
  tree: Tree,
  system: System,
  killSignal: NodeJS.Signals | null,
  graceMs: number,
): Ending {
  return {
    tree,
    system,
    killSignal,
    graceEndsAt: monotonicMs() + graceMs,
    told: killSignal === null,
    seen: new Set(),
    hurry: false,
  };
}

/**
 * Ends every process of a task: the first signal, the grace, then the kill of its cgroup, freeze, rescan, SIGKILL, and
 * a check that nothing is left. The shim comes last, because it has an exit code to record. Never blocks the event
 * loop.
 * @returns the survivors.
 */
export async function terminate(way: Ending): Promise<Member[]> {
  if (way.system.signal !== undefined) return await endOutright(way);
  if (way.killSignal !== 'SIGKILL' && (await endGracefully(way))) return [];
  return await endByForce(way);
}

/** Sends the first signal and waits for all of them, not for the leader. True when nothing is left. */
async function endGracefully(way: Ending): Promise<boolean> {
  const { system } = way;
  for (;;) {
    const members = await membersInTheEnd(way);
    if (members.length === 0) return true;
    if (way.killSignal === 'SIGKILL') return false;
    if (!way.told && way.killSignal !== null) tell(way, members, way.killSignal);
    else if (way.tree.isQueued) for (const member of members) signalMember(member, 'SIGCONT', system);
    // A check of the known ones is cheap. When they are gone, or from time to time, it checks all processes.
    const pause = monotonicMs() + (way.tree.isQueued ? queuedLookMs : longestPauseMs);
    await untilGone(members, system, () => (way.hurry ? 0 : Math.min(way.graceEndsAt, pause)));
    way.hurry = false;
    if (monotonicMs() >= way.graceEndsAt) return (await membersInTheEnd(way)).length === 0;
  }
}

/**
 * A process that forks and ends during a scan is not in it, and neither is its child. So it takes two empty scans to
 * say that nothing is left.
 */
async function membersInTheEnd(way: Ending): Promise<Member[]> {
  const members = await membersNow(way);
  return members.length > 0 ? members : await membersNow(way);
}

/** The task's processes as they are now; a group that was the task's stays so while one of these lives. */
async function membersNow({ tree, system, seen }: Ending): Promise<Member[]> {
  const members = await findMembers(tree, system, seen);
  for (const member of members) seen.add(processKey(member));
  return members;
}

/**
 * Sends the first signal, once: what shows up later was started to handle it (a cleanup script) and has until
 * the end of the grace.
 */
function tell(way: Ending, members: readonly Member[], killSignal: NodeJS.Signals): void {
  const { tree, system } = way;
  const group = tree.command?.pid;
  const asGroup = group !== undefined && groupIsOurs(tree, members, system, way.seen);
  if (asGroup) signalGroup(group, killSignal);
  for (const member of members) {
    if (!asGroup || member.group !== group) signalMember(member, killSignal, system);
  }
  // A stopped process acts on a signal only when it is continued.
  for (const member of members) signalMember(member, 'SIGCONT', system);
  way.told = true;
}

/**
 * Ends a tree on systems without signals. It cannot ask a process to end, so it ends all but the shim at once, again
 * and again until no new process appears. It also ends a shim that runs no command yet, so that it does not begin.
 */
async function endOutright(way: Ending): Promise<Member[]> {
  const { tree, system } = way;
  let end = monotonicMs() + killTakesMs;
  let shimEndsAt = tree.isQueued ? 0 : Number.POSITIVE_INFINITY;
  for (let looks = 1; ; looks += 1) {
    const known = way.seen.size;
    const members = await membersNow(way);
    if (members.length === 0 || (monotonicMs() >= end && looks > fewestLooks)) return members;
    // What is new has just begun to be ended.
    if (way.seen.size > known && looks <= fewestLooks) end = monotonicMs() + killTakesMs;
    const others = withoutLeader(tree, members);
    for (const member of others) signalMember(member, 'SIGKILL', system);
    // The shim has the exit code of the command to record, if it has started one.
    shimEndsAt = Math.min(shimEndsAt, monotonicMs() + (others.length > 0 ? shimTakesMs : beginsMs));
    const isOver = monotonicMs() >= shimEndsAt;
    if (isOver) for (const member of members) signalMember(member, 'SIGKILL', system);
    const pause = Math.min(end, monotonicMs() + beginsMs);
    await untilGone(members, system, () => (isOver ? end : Math.min(pause, shimEndsAt)));
  }
}

async function endByForce(way: Ending): Promise<Member[]> {
  const { tree, system } = way;
  if (tree.cgroup !== null) system.killCgroup(tree.cgroup, tree.cookie);
  await freeze(way);
  let members = await membersNow(way);
  const end = monotonicMs() + killTakesMs;
  for (let others = withoutLeader(tree, members); others.length > 0 && monotonicMs() < end; ) {
    for (const member of others) signalMember(member, 'SIGKILL', system);
    const pause = Math.min(end, monotonicMs() + 200);
    await untilGone(others, system, () => pause);
    const known = way.seen.size;
    members = await membersNow(way);
    others = withoutLeader(tree, members);
    // Something has got away from the freeze: killing what is seen of it would go on for as long as it forks.
    if (others.length > 0 && way.seen.size > known) await freeze(way);
  }
  await endShim(members, tree, system);
  return withoutLeader(tree, await membersNow(way));
}

function withoutLeader({ shim }: Tree, members: readonly Member[]): Member[] {
  return members.filter(({ pid }) => pid !== shim?.pid);
}

/**
 * Stops everything, again and again until nothing new has appeared several times in a row: what is stopped
 * cannot fork away from the scan. The group at one stroke, what has left it one by one.
 */
async function freeze(way: Ending): Promise<void> {
  const { tree, system } = way;
  const shimPid = tree.shim?.pid ?? null;
  const group = tree.command?.pid;
  const members = await membersNow(way);
  const asGroup = group !== undefined && groupIsOurs(tree, members, system, way.seen);
  if (asGroup) signalGroup(group, 'SIGSTOP');
  // Children of what is in here are met by the strikes: the shim is, although it is spared itself.
  const frozen = new Set(tree.shim === null ? [] : [processKey(tree.shim)]);
  // Not all that were found show it by what they carry.
  for (const member of members) {
    if (member.pid === shimPid || (asGroup && member.group === group)) continue;
    if (signalMember(member, 'SIGSTOP', system)) frozen.add(processKey(member));
  }
  for (let round = 0, quiet = 0; round < freezeRounds && quiet < quietRounds; round += 1) {
    const fresh = await system.strike(tree.cookie, 'SIGSTOP', frozen, shimPid, tree.shim?.start ?? null);
    quiet = fresh === 0 ? quiet + 1 : 0;
    await sleep(fresh === 0 ? system.lookMs : 0);
  }
}

/** The command is gone: the shim records that and ends. One that does not (it is stopped, or stuck) is killed. */
async function endShim(members: readonly Member[], tree: Tree, system: System): Promise<void> {
  const shim = members.find((member) => member.pid === tree.shim?.pid);
  if (shim === undefined) return;
  signalMember(shim, 'SIGCONT', system);
  const end = monotonicMs() + shimTakesMs;
  if (await untilGone([shim], system, () => end)) return;
  signalMember(shim, 'SIGKILL', system);
  const last = monotonicMs() + killTakesMs;
  await untilGone([shim], system, () => last);
}

async function untilGone(members: readonly Member[], system: System, until: () => number): Promise<boolean> {
  let pause = system.lookMs;
  let left = members;
  for (;;) {
    left = left.filter((member) => !isGone(member, system));
    if (left.length === 0) return true;
    const remaining = until() - monotonicMs();
    if (remaining <= 0) return false;
    await sleep(Math.min(pause, remaining));
    pause = Math.min(pause * 2, Math.max(longestLookMs, system.lookMs * 2));
  }
}
