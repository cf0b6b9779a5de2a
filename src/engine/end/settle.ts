import type { DeliveredFact } from '../../model/completion-facts.ts';
import type { Verdict } from '../../model/decide.ts';
import type { ExitFact, OomFact, OutcomeFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { bounds } from '../../model/limits.ts';
import { newestTrace, seenEnd } from '../../model/times.ts';
import type { Leftover } from '../../model/words.ts';
import { oomKillsOfGroup } from '../../platform/linux/cgroup.ts';
import type { Member } from '../../platform/system.ts';
import { shimName } from '../../shim/program.ts';
import { randomHex } from '../../util/crypto.ts';
import { holdProcess, monotonicMs, sleep } from '../../util/wait.ts';
import { withKeys } from '../../util/with-keys.ts';
import { push, pushRecorded } from '../completions/deliver.ts';
import { dropGroup, groupOf } from '../processes/cgroup.ts';
import { asLeftovers, findMembers, isGone, treeOf } from '../processes/members.ts';
import { ending, terminate } from '../processes/terminate.ts';
import { record, recordSoon, withdraw } from '../session/append.ts';
import { background } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { corrected, describe, type Observed, observe } from '../session/observe.ts';
import { readFacts } from '../session/read-record.ts';
import { nudge, shimLives } from '../session/shim-control.ts';
import { type Written, writtenBy } from '../session/traces.ts';
import { cutSoon, exceedsKeep } from '../store/cut-output.ts';
import { rescuePump } from './rescue-pump.ts';

/** Processes that end with their command have ended this long after it. */
const endsSoonMs = 30;

/**
 * A live shim has reported the leftovers by then. If it has not, a signal stopped it, and this process checks the
 * processes itself.
 */
const shimTellsWithinMs = 2_000;

/**
 * Settles a task that has ended: learns what is left of it, decides, tells who waits, and records the outcome. With a
 * shim that has said all of it this happens in one turn of the event loop.
 * @param survivors what a stop from outside has left.
 * @returns false when it has to be looked at again: what is left is not known yet, or waited for, or the command has
 * started after all.
 */
export async function settle(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  survivors?: readonly Member[],
): Promise<boolean> {
  const release = holdProcess();
  try {
    return await settleHeld(context, taskId, observed, survivors);
  } finally {
    release();
  }
}

async function settleHeld(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  survivors: readonly Member[] | undefined,
): Promise<boolean> {
  const told = survivors === undefined ? toldLeftovers(observed) : survivorsOf(context, observed, survivors);
  if (told === 'later' && shimLives(context, observed.facts) && isWaitedFor(context, taskId)) return false;
  const isTold = told !== null && told !== 'later';
  const leftovers = isTold ? told : await leftoversByLooking(context, taskId, observed);
  if (leftovers === null) return false;
  // Another process may have settled it while this one checked the processes.
  const latest = isTold && survivors === undefined ? observed : observe(context, taskId);
  if (latest === null) return true;
  // A shim that was given up has started after all: what it runs has not ended.
  if (latest.alive === 'yes' && latest.facts.exit === undefined) return false;
  const oom = oomFact(latest.facts);
  const end = corrected(latest, {
    facts: oom === null ? latest.facts : withKeys(latest.facts, { oom }),
    alive: 'no',
  });
  const { facts, decision } = end;
  if (decision.state === 'ended') {
    pushRecorded(context, taskId, end);
    return true;
  }
  if (decision.state !== 'settle') return true;
  // A process that ended a task from outside, and left nothing of it, has seen its end.
  const endedAt = seenEnd(facts) ?? (survivors?.length === 0 ? Date.now() : null);
  const written = writtenBy(context, taskId, facts);
  const outcome = outcomeOf(end, written, decision.verdict, { endedAt, leftovers });
  const isWritten = needsTheLastWord(facts);
  if (isWritten && !isFirstWord(context, taskId, outcome)) return false;
  // The log may not have taken what the doorbell has told.
  const heard = context.heard.get(taskId);
  const unwritten = [
    facts.exit !== undefined && facts.exit === heard ? heard : null,
    oom,
    isWritten ? null : outcome,
  ];
  conclude(context, end, { taskId, outcome, written, unwritten: unwritten.filter((fact) => fact !== null) });
  return true;
}

/** What the facts say of processes that are left; null: nothing. `later`: the shim is about to say it. */
export function toldLeftovers({ facts, deathReason }: Observed): readonly Leftover[] | 'later' | null {
  const { spec, exit, left, gone, isForbidden } = facts;
  if (deathReason !== null || gone !== undefined || isForbidden || exit?.ran === false) return [];
  if (left !== undefined) return left.processes;
  if (spec?.seal === undefined || exit === undefined || exit.left === null) return null;
  return exit.left === 0 ? [] : 'later';
}

/** What a stop from outside has left. The shim may know more: its descendants are its own, also those of other users. */
function survivorsOf(
  { store }: SessionContext,
  { facts: { left } }: Observed,
  survivors: readonly Member[],
): readonly Leftover[] {
  const known = new Set(survivors.map(({ pid }) => pid));
  const more = (left?.processes ?? []).filter((one) => !known.has(one.pid) && !isGone(one, store.system));
  return [...asLeftovers(survivors), ...more].slice(0, bounds.leftovers);
}

/** The shim has a moment to say what is left. */
function isWaitedFor(context: SessionContext, taskId: string): boolean {
  const live = context.live.get(taskId);
  if (live === undefined) return false;
  live.endSeenAt ??= monotonicMs();
  return monotonicMs() - live.endSeenAt < shimTellsWithinMs;
}

/** Where no shim tells: what is left, after what the spec says was done with it. Null when it is waited for. */
async function leftoversByLooking(
  context: SessionContext,
  taskId: string,
  observed: Observed,
): Promise<readonly Leftover[] | null> {
  let found = await findLeftovers(context, taskId, observed);
  if (found.length > 0) {
    // Some are about to end, and a moment later they do not matter. Others have passed their work to a child, as
    // daemons do.
    await sleep(endsSoonMs);
    found = await findLeftovers(context, taskId, observed);
  }
  const { spec, stop, exit, left } = observed.facts;
  // Until its end is the first word in the log the command may start. It is not ended before, nor is its shim.
  const own = needsTheLastWord(observed.facts) ? 'report' : spec?.leftovers;
  const policy = wasNeverLetRun(context, observed.facts) ? 'kill' : own;
  // A task that is lost is told at once: the command itself may run on, for as long as it likes.
  if (found.length > 0 && stop === undefined && exit !== undefined && policy === 'wait') return null;
  if (found.length > 0 && stop === undefined && policy === 'kill')
    found = await endLeftovers(context, taskId, observed, 'SIGTERM', spec?.graceMs ?? 0);
  // The shim has stopped what it could see of the task, which was not all, and has given it its grace.
  if (found.length > 0 && left?.processes === null && left.proof !== undefined)
    found = await endLeftovers(context, taskId, observed, 'SIGKILL', 0);
  return asLeftovers(found);
}

/** Whether the outcome says that the command never runs although the log does not forbid it yet. */
function needsTheLastWord({ spec, started, exit, isForbidden }: Facts): boolean {
  return spec?.seal !== undefined && started === undefined && exit === undefined && !isForbidden;
}

/**
 * Records such an outcome, and reads back whether it came before any start: then it forbids the shim to run the command,
 * however late that shim is.
 */
function isFirstWord(context: SessionContext, taskId: string, outcome: OutcomeFact): boolean {
  if (!record(context, taskId, [outcome])) {
    withdraw(context, taskId, outcome);
    return false;
  }
  return readFacts(context, taskId)?.isForbidden === true;
}

/**
 * On Windows a spawner that dies when it has created its shim, and before it has recorded that, leaves one that never
 * runs: no process of the command's, and nobody's to report.
 */
function wasNeverLetRun({ store }: SessionContext, { waiting, started, exit }: Facts): boolean {
  return store.system.resume !== undefined && (waiting ?? started ?? exit) === undefined;
}

interface Conclusion {
  readonly taskId: string;
  readonly outcome: OutcomeFact;
  readonly written: Written;
  /** The facts to append. */
  readonly unwritten: readonly (ExitFact | OomFact | OutcomeFact)[];
}

function conclude(
  context: SessionContext,
  observed: Observed,
  { taskId, outcome, written, unwritten }: Conclusion,
): void {
  const acknowledged = [...(context.waiters.get(taskId) ?? [])].some((waiter) =>
    waiter.acknowledges(outcome),
  );
  const delivered: DeliveredFact = { fact: 'delivered', id: outcome.id, at: Date.now() };
  const facts: Facts = withKeys(observed.facts, acknowledged ? { outcome, delivered } : { outcome });
  const snapshot = describe(context, taskId, corrected(observed, { facts }), { written });
  // A process that asked to stop a waiting task may have died before it told the shim.
  if (observed.away === null && facts.spec?.seal !== undefined && facts.started === undefined)
    nudge(context, facts);
  recordSoon(context, taskId, [...unwritten, ...(acknowledged ? [delivered] : [])]);
  push(context, snapshot);
  if (observed.away === null) dropGroup(facts);
  context.store.windows?.dropFiles(context, taskId);
  if (exceedsKeep(facts) && context.store.keepsHouse) cutSoon(context, taskId);
  if (outcome.status === 'lost' && facts.spec !== undefined)
    background(context, 'rescuing output', rescuePump(context, taskId, facts.spec), taskId);
}

function outcomeOf(
  { facts, deathReason, modifiedAt }: Observed,
  { stdoutBytes, stderrBytes, lastWrittenAt }: Written,
  { status, reason, exitCode, exitSignal }: Verdict,
  { endedAt, leftovers }: Pick<OutcomeFact, 'endedAt' | 'leftovers'>,
): OutcomeFact {
  const traces = { modifiedAt, lastWrittenAt, nowMs: Date.now() };
  return {
    fact: 'outcome',
    id: randomHex(6),
    status,
    reason: status === 'lost' ? (deathReason ?? reason) : reason,
    exitCode,
    exitSignal,
    startedAt: facts.started?.at ?? null,
    endedAt,
    lastSeenAt: endedAt === null ? newestTrace(facts, traces) : null,
    cpuMs: facts.exit?.cpuMs ?? null,
    bytes: stdoutBytes,
    stderrBytes,
    leftovers,
    pipeStatus: facts.exit?.pipeStatus ?? null,
  };
}

/** Whether the kernel has killed processes of the task for want of memory; its cgroup counts them. */
function oomFact(facts: Facts): OomFact | null {
  const group = facts.oom === undefined ? groupOf(facts) : null;
  const kills = group === null ? 0 : oomKillsOfGroup(group);
  return kills === 0 ? null : { fact: 'oom', kills };
}

/** The live processes of a task, without its shim. */
export async function findLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
): Promise<Member[]> {
  const tree = treeOf(context, taskId, observed.facts);
  const found = await findMembers(tree, context.store.system);
  // One that has not said yet who it is has the name of a shim.
  const isShim = ({ pid, hasCookie, command }: Member): boolean =>
    pid === tree.shim?.pid || (hasCookie && command === `${shimName} ${taskId}`);
  return found.filter((member) => !isShim(member));
}

async function endLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  killSignal: NodeJS.Signals,
  graceMs: number,
): Promise<Member[]> {
  const { system } = context.store;
  return await terminate(ending(treeOf(context, taskId, observed.facts), system, killSignal, graceMs));
}
