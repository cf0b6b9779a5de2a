import { Listeners, type ListeningPort } from '../engine/processes/listening.ts';
import { findMembers, treeOf } from '../engine/processes/members.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { describe, type Observed, observe } from '../engine/session/observe.ts';
import { readRecord } from '../engine/session/read-record.ts';
import { hookRunnerLives, shimLives } from '../engine/session/shim-control.ts';
import { type WatchSummary, watchesOf } from '../engine/watches/pattern-watches.ts';
import type { SpecFact } from '../model/facts.ts';
import { type HistoryEntry, historyOf } from '../model/history.ts';
import { type OnExit, onExitOf } from '../model/hook.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Bond, LeftoversPolicy, Liveness, OutputWay } from '../model/words.ts';
import { logPathOf } from '../tasklog/done.ts';
import { taskPaths } from '../tasklog/paths.ts';

/** What a task was allowed, as its spec says. `null`: no limit. */
export interface TaskBounds {
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  readonly maxOutputBytes: number | null;
  readonly keepOutputBytes: number | null;
}

/** A process of a task that is alive now. */
export interface TaskProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Everything that is known of one task. */
export interface TaskInspection {
  readonly snapshot: TaskSnapshot;
  /** The absolute path of the shell that runs the command; `null`: it runs without one. */
  readonly shell: string | null;
  readonly bounds: TaskBounds;
  readonly leftoversPolicy: LeftoversPolicy;
  /** How its output gets into the file. */
  readonly outputWay: OutputWay;
  /** What it is bound to: a process, or the life of its session; `null`: nothing. */
  readonly bindTo: Bond | null;
  /** Its hook, and what has become of that; `null`: it has none. */
  readonly onExit: OnExit | null;
  /** The file for the output of the hook, made when that runs. */
  readonly onExitPath: string | null;
  /** The process that asked for it, and its host. */
  readonly spawnedBy: { readonly pid: number; readonly host: string } | null;
  /** The task log. The files of the output are in the snapshot. */
  readonly logPath: string;
  /** The live processes of its tree, without the shim. Empty for a task of another machine. */
  readonly processes: readonly TaskProcess[];
  /** The TCP ports at which they listen. Empty on macOS, which does not list them. */
  readonly ports: readonly ListeningPort[];
  /** The durable watches that are open. */
  readonly watches: readonly WatchSummary[];
  readonly history: readonly HistoryEntry[];
}

/** Reads everything about a task; null if there is no record of it. */
export async function inspectTask(context: SessionContext, taskId: string): Promise<TaskInspection | null> {
  const { log: logPath, hook } = taskPaths(context.paths, taskId);
  const log = readRecord(context, taskId);
  const observed = observe(context, taskId);
  if (observed === null || log === null) return null;
  const { spec } = observed.facts;
  const snapshot = describe(context, taskId, observed);
  const processes = await processesOf(context, taskId, observed);
  return {
    snapshot,
    shell: spec === undefined ? '' : spec.shell,
    bounds: boundsOf(spec),
    leftoversPolicy: spec?.leftovers ?? 'report',
    outputWay: spec?.output ?? 'file',
    bindTo: spec?.bindTo ?? null,
    onExit: onExitNow(context, observed),
    onExitPath: spec?.onExit === undefined ? null : hook,
    spawnedBy: spec === undefined ? null : { pid: spec.by.pid, host: spec.by.host },
    logPath: logPathOf(context.paths, taskId) ?? logPath,
    processes,
    ports: new Listeners().of(processes.map(({ pid }) => pid)),
    watches: watchesOf(context, taskId),
    history: historyOf(log.list),
  };
}

function onExitNow(context: SessionContext, { facts, alive, decision }: Observed): OnExit | null {
  const isLive = decision.state === 'live';
  const liveness = (lives: boolean): Liveness => (alive === 'unknown' ? alive : lives ? 'yes' : 'no');
  const shim = liveness(shimLives(context, facts));
  return onExitOf(facts, isLive, { shim, runner: liveness(hookRunnerLives(context, facts)) });
}

function boundsOf(spec: SpecFact | undefined): TaskBounds {
  return {
    timeoutMs: spec?.timeoutMs ?? null,
    graceMs: spec?.graceMs ?? 0,
    maxOutputBytes: spec?.maxOutputBytes ?? null,
    keepOutputBytes: spec?.keepOutputBytes ?? null,
  };
}

async function processesOf(
  context: SessionContext,
  taskId: string,
  { facts, decision, away }: Observed,
): Promise<TaskProcess[]> {
  if (away !== null || (decision.state === 'ended' && decision.outcome.leftovers.length === 0)) return [];
  const { system } = context.store;
  const tree = treeOf(context, taskId, facts);
  const members = await findMembers(tree, system);
  // On Windows the shim is what stands for the command.
  const shimPid = tree.shim?.pid === tree.command?.pid ? null : tree.shim?.pid;
  const others = members.filter(({ pid }) => pid !== shimPid);
  return others.map(({ pid, parent, command }) => ({ pid, parent, command }));
}
