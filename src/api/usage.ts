import type { SessionContext } from '../engine/context.ts';
import { foldFacts } from '../model/fold.ts';
import type { ProcessUsage, System } from '../platform/system.ts';
import { readLog } from '../tasklog/log.ts';
import { taskPaths } from '../tasklog/paths.ts';

/** What the whole tree of a task uses now. */
export interface TaskUsage {
  /** Live processes, the shim among them. */
  readonly processes: number;
  /** Resident memory; pages that processes share are counted for each of them. */
  readonly memoryBytes: number;
  /** Share of one core during the sample, in percent: 200 is two whole cores. */
  readonly cpuPercent: number;
}

/** What the trees of tasks use, measured over `sampleMs`; tasks without a live process are left out. */
export async function usageOf(
  tasks: readonly { readonly contexts: readonly SessionContext[]; readonly taskId: string }[],
  system: System,
  sampleMs: number,
): Promise<Map<string, TaskUsage>> {
  const ids = new Map<string, string>();
  for (const { contexts, taskId } of tasks) {
    const cookie = cookieOf(contexts, taskId);
    if (cookie !== null) ids.set(cookie, taskId);
  }
  if (ids.size === 0) return new Map();
  const cookies = new Set(ids.keys());
  const seenBefore = await system.usage(cookies);
  const before = new Map(seenBefore.map((seen) => [seen.pid, seen.cpuMs]));
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, sampleMs));
  const elapsedMs = performance.now() - begin;
  const result = new Map<string, TaskUsage>();
  for (const seen of await system.usageAgain(seenBefore)) {
    const taskId = ids.get(seen.cookie) ?? '';
    result.set(taskId, add(result.get(taskId), seen, before.get(seen.pid), elapsedMs));
  }
  return result;
}

function cookieOf(contexts: readonly SessionContext[], taskId: string): string | null {
  for (const { paths } of contexts) {
    const log = readLog(taskPaths(paths, taskId).log);
    if (log !== null) return foldFacts(log.list).spec?.cookie ?? null;
  }
  return null;
}

/** What was not there at the first look has spent all its time since. */
function add(
  sum: TaskUsage | undefined,
  seen: ProcessUsage,
  cpuMsBefore: number | undefined,
  elapsedMs: number,
): TaskUsage {
  const spentMs = Math.max(0, seen.cpuMs - (cpuMsBefore ?? 0));
  return {
    processes: (sum?.processes ?? 0) + 1,
    memoryBytes: (sum?.memoryBytes ?? 0) + seen.memoryBytes,
    cpuPercent: (sum?.cpuPercent ?? 0) + (100 * spentMs) / elapsedMs,
  };
}
