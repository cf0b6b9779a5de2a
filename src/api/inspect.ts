import type { SessionContext } from '../engine/context.ts';
import { describe, observe } from '../engine/observe.ts';
import { findMembers, treeOf } from '../engine/tree.ts';
import { decide } from '../model/decide.ts';
import type { SpecFact } from '../model/facts.ts';
import { type HistoryEntry, historyOf } from '../model/history.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Bond, LeftoversPolicy } from '../model/words.ts';
import { readLog } from '../tasklog/log.ts';
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
  /** The absolute path of the shell that runs the command. */
  readonly shell: string;
  readonly bounds: TaskBounds;
  readonly leftoversPolicy: LeftoversPolicy;
  /** What it is bound to: a process, or the life of its session; `null`: nothing. */
  readonly bindTo: Bond | null;
  /** Who asked for it, and where. */
  readonly spawnedBy: { readonly pid: number; readonly host: string } | null;
  /** The task log. The files of the output are in the snapshot. */
  readonly logPath: string;
  /** The live processes of its tree, without the shim. Empty for a task of another machine. */
  readonly processes: readonly TaskProcess[];
  readonly history: readonly HistoryEntry[];
}

/** Looks at everything about a task; null when there is no record of it. */
export async function inspectTask(context: SessionContext, taskId: string): Promise<TaskInspection | null> {
  const { log: logPath } = taskPaths(context.paths, taskId);
  const log = readLog(logPath);
  const observed = observe(context, taskId);
  if (observed === null || log === null) return null;
  const { spec } = observed.facts;
  const snapshot = describe(context, taskId, observed);
  return {
    snapshot,
    shell: spec?.shell ?? '',
    bounds: boundsOf(spec),
    leftoversPolicy: spec?.leftovers ?? 'report',
    bindTo: spec?.bindTo ?? null,
    spawnedBy: spec === undefined ? null : { pid: spec.by.pid, host: spec.by.host },
    logPath,
    processes: await processesOf(context, taskId, observed),
    history: historyOf(log.list),
  };
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
  { facts, alive }: NonNullable<ReturnType<typeof observe>>,
): Promise<TaskProcess[]> {
  const decision = decide(facts, alive);
  if (alive === 'unknown' || (decision.state === 'ended' && decision.outcome.leftovers.length === 0))
    return [];
  const { system } = context.store;
  const tree = treeOf(context, taskId, facts);
  const members = await findMembers(tree, system);
  // On Windows the shim is what stands for the command.
  const shimPid = tree.shim?.pid === tree.command?.pid ? null : tree.shim?.pid;
  const others = members.filter(({ pid }) => pid !== shimPid);
  return others.map(({ pid, parent, command }) => ({ pid, parent, command }));
}
