import { randomBytes } from 'node:crypto';
import { decide, type Verdict } from '../model/decide.ts';
import type { DeliveredFact, OomFact, OutcomeFact, ReapedFact } from '../model/facts.ts';
import { type Facts, shimOf } from '../model/fold.ts';
import { endOf } from '../model/snapshot.ts';
import { startedAt } from '../model/times.ts';
import { oomKillsOfGroup } from '../platform/cgroup.ts';
import { now } from '../platform/clock.ts';
import type { Member } from '../platform/system.ts';
import { outputFile, outputSize } from '../tasklog/output.ts';
import { holdProcess, sleep } from '../util/wait.ts';
import { recordSoon } from './append.ts';
import { background } from './background.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { cutOutput, exceedsKeep } from './cut-output.ts';
import { push } from './deliver.ts';
import { ending, endTree } from './end-tree.ts';
import { describe, type Observed, observe } from './observe.ts';
import { dropGroup, groupOf } from './resources.ts';
import {
  asLeftovers,
  findMembers,
  findMembersQuickly,
  shimTimers,
  signalMember,
  treeOf,
  withoutShim,
} from './tree.ts';

/**
 * A pid given out so long after the shim's may be below it, since pids start again from the bottom; only
 * for a younger task is the quick look for leftovers complete.
 */
const quickLookMs = 2_000;

/** Of the clock since boot, as the shim and the kernel tell it. */
const clockTickMs = 10;

/** Processes that end with their command have ended this long after it. */
const endsSoonMs = 30;

/**
 * Settles a task whose shim is gone: finds what is left of it, does with that what the spec says, decides,
 * tells who waits, and records the outcome. For a short task without leftovers all of this happens in one
 * turn of the event loop.
 * @returns false when it has to be looked at again: its leftovers are waited for, or its shim has started after all.
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
  const live = context.live.get(taskId);
  const reaped = reapedFact(observed.facts, live);
  const oom = oomFact(observed.facts);
  const known = survivors ?? findLeftoversQuickly(context, taskId, observed);
  let leftovers = commandsOwn(context, observed, known ?? (await findLeftovers(context, taskId, observed)));
  if (leftovers.length > 0 && survivors === undefined) {
    // Some are about to end: a moment later they are no news any more. Others have handed on to a child, as daemons do.
    await sleep(endsSoonMs);
    const still = findLeftoversQuickly(context, taskId, observed);
    leftovers = commandsOwn(context, observed, still ?? (await findLeftovers(context, taskId, observed)));
  }
  const { spec, stop } = observed.facts;
  const policy = wasNeverLetRun(context, observed.facts) ? 'kill' : spec?.leftovers;
  if (leftovers.length > 0 && stop === undefined && policy === 'wait') return false;
  if (leftovers.length > 0 && stop === undefined && policy === 'kill') {
    leftovers = await endLeftovers(context, taskId, observed, spec?.graceMs ?? 0);
  }
  // Somebody else may have settled it while we looked at processes.
  const isFresh = known?.length === 0;
  const latest = isFresh ? observed : observe(context, taskId);
  if (latest === null) return true;
  // A shim that was given up has started after all: what it runs has not ended.
  if (latest.alive === 'yes' && latest.facts.exit === undefined) return false;
  const facts: Facts = { ...latest.facts, ...(reaped && { reaped }), ...(oom && { oom }) };
  if (facts.outcome !== undefined && decide(facts, 'no').state === 'ended') {
    push(context, taskId, null);
    return true;
  }
  const decision = decide(facts, 'no');
  if (decision.state !== 'settle') return true;
  const outcome = outcomeOf(context, taskId, { ...latest, facts }, decision.verdict, leftovers, live);
  conclude(context, taskId, { ...latest, facts, alive: 'no' }, outcome, [reaped, oom]);
  return true;
}

/**
 * On Windows a spawner that dies when it has created its shim, and before it has recorded that, leaves one that never
 * runs: no process of the command's, and nobody's to report.
 */
function wasNeverLetRun({ store }: SessionContext, { waiting, started, exit }: Facts): boolean {
  return store.system.resume !== undefined && (waiting ?? started ?? exit) === undefined;
}

function conclude(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  outcome: OutcomeFact,
  seen: readonly (ReapedFact | OomFact | null)[],
): void {
  const acknowledged = [...(context.waiters.get(taskId) ?? [])].some((waiter) =>
    waiter.acknowledges(outcome),
  );
  const delivered: DeliveredFact = { fact: 'delivered', id: outcome.id, at: Date.now() };
  const facts: Facts = { ...observed.facts, outcome, ...(acknowledged ? { delivered } : {}) };
  const snapshot = describe(context, taskId, { ...observed, facts });
  recordSoon(context, taskId, [
    ...seen.filter((fact) => fact !== null),
    outcome,
    ...(acknowledged ? [delivered] : []),
  ]);
  push(context, taskId, snapshot);
  dropGroup(facts);
  context.store.windows?.dropFiles(context, taskId);
  if (exceedsKeep(facts)) background(cutOutput(context, taskId));
}

function outcomeOf(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  verdict: Verdict,
  leftovers: readonly Member[],
  live: LiveTask | undefined,
): OutcomeFact {
  const { facts, deathReason } = observed;
  const { spec, started } = facts;
  const separate = spec?.separate === true;
  return {
    fact: 'outcome',
    id: randomBytes(6).toString('hex'),
    ...verdict,
    reason: verdict.status === 'lost' ? (deathReason ?? verdict.reason) : verdict.reason,
    startedAt: spec === undefined || started === undefined ? null : notAhead(startedAt(spec, started)),
    // Without a marker that tells the time, our own child ended just now; else the log was written last then.
    endedAt: notAhead(endOf(facts, live?.own === true ? { modifiedAt: Date.now() } : observed)),
    cpuMs: facts.exit?.cpuMs ?? null,
    bytes: outputSize(outputFile(context.paths, taskId, 'stdout', facts)),
    stderrBytes: separate ? outputSize(outputFile(context.paths, taskId, 'stderr', facts)) : 0,
    leftovers: asLeftovers(leftovers),
    pipeStatus: facts.pipe?.statuses ?? null,
  };
}

/** The clock of the shim counts hundredths of a second: what it says may lie a little in the future. */
function notAhead(epochMs: number): number {
  const ahead = epochMs - Date.now();
  return ahead > 0 && ahead <= 2 * clockTickMs ? epochMs - ahead : epochMs;
}

/** What the parent saw is needed only where the shim could not write its marker. */
function reapedFact(facts: Facts, live: LiveTask | undefined): ReapedFact | null {
  if (facts.exit !== undefined || facts.reaped !== undefined || !live?.reaped) return null;
  return { fact: 'reaped', ...live.reaped };
}

/** Whether the kernel has killed processes of the task for want of memory; its cgroup counts them. */
function oomFact(facts: Facts): OomFact | null {
  const group = facts.oom === undefined ? groupOf(facts) : null;
  const kills = group === null ? 0 : oomKillsOfGroup(group);
  return kills === 0 ? null : { fact: 'oom', kills };
}

/**
 * Leaves out what is the shim's. A timer that has nothing left to watch over is told to end; otherwise it
 * goes on to hold the timeout over the leftovers.
 */
function commandsOwn(context: SessionContext, observed: Observed, found: readonly Member[]): Member[] {
  const shimPid = shimOf(observed.facts)?.pid ?? null;
  const own = withoutShim(found, shimPid);
  if (own.length === 0) {
    for (const timer of shimTimers(found, shimPid)) signalMember(timer, 'SIGPROF', context.store.system);
  }
  return own;
}

function findLeftoversQuickly(context: SessionContext, taskId: string, observed: Observed): Member[] | null {
  const { spec, started } = observed.facts;
  if (observed.deathReason !== null) return [];
  if (spec === undefined || started === undefined) return null;
  const { epochMs, uptimeMs } = now();
  const age =
    uptimeMs === null || spec.uptimeMs === null ? epochMs - spec.createdAt : uptimeMs - spec.uptimeMs;
  if (age < 0 || age > quickLookMs) return null;
  const { system } = context.store;
  return findMembersQuickly(
    treeOf(context, taskId, observed.facts, null),
    system,
    otherShims(context, started.pid),
  );
}

/** Shims of other tasks that are our own children and run: nobody else can have their pids. */
function otherShims(context: SessionContext, pid: number): Set<number> {
  const shims = new Set<number>();
  for (const live of context.live.values()) {
    if (live.own && live.reaped === null && live.pid !== null && live.pid !== pid) shims.add(live.pid);
  }
  return shims;
}

async function findLeftovers(context: SessionContext, taskId: string, observed: Observed): Promise<Member[]> {
  const { system } = context.store;
  return await findMembers(treeOf(context, taskId, observed.facts, null), system);
}

async function endLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  graceMs: number,
): Promise<Member[]> {
  const { system } = context.store;
  const tree = treeOf(context, taskId, observed.facts, null);
  return await endTree(ending(tree, system, 'SIGTERM', graceMs));
}
