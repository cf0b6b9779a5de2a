import type { SessionContext } from '../engine/context.ts';
import { Sight } from '../engine/sight.ts';
import { foldFacts } from '../model/fold.ts';
import type { ProcessUsage, System } from '../platform/system.ts';
import { readLog } from '../tasklog/log.ts';
import { taskIdPattern, taskPaths } from '../tasklog/paths.ts';

/** What a measurement has seen of processes; null when that is too long ago to be told as what is. */
export let sightOf: (meter: UsageMeter) => Sight | null;

/** What the whole tree of a task uses now. */
export interface TaskUsage {
  /** Live processes, the shim among them. */
  readonly processes: number;
  /** Resident memory; pages that processes share are counted for each of them. */
  readonly memoryBytes: number;
  /** Share of one core during the sample, in percent: 200 is two whole cores. */
  readonly cpuPercent: number;
}

/** So long what a measurement has seen of processes counts as what is, in milliseconds. */
const freshMs = 1_000;

/**
 * A measurement that has begun: CPU time is what is used from then until it is read. Whoever has something else to
 * do meanwhile loses no time by it. Processes that come meanwhile are left out.
 */
export class UsageMeter {
  readonly #system: System;
  readonly #contexts: readonly SessionContext[];
  readonly #begun: readonly ProcessUsage[];
  readonly #beganAt = performance.now();

  static {
    sightOf = (meter) => (performance.now() - meter.#beganAt > freshMs ? null : new Sight(meter.#begun));
  }

  private constructor(system: System, contexts: readonly SessionContext[], begun: readonly ProcessUsage[]) {
    this.#system = system;
    this.#contexts = contexts;
    this.#begun = begun;
  }

  /** For `Store` only: use `store.meter()`. */
  static async start(system: System, contexts: readonly SessionContext[]): Promise<UsageMeter> {
    return new UsageMeter(system, contexts, await system.usage(null));
  }

  /**
   * What the trees of tasks use, by their ids; tasks without a live process of this machine are left out.
   * @param sampleMs the measurement takes at least so many milliseconds; the rest is waited for.
   */
  async read(taskIds: readonly string[], sampleMs: number): Promise<Map<string, TaskUsage>> {
    const ids = this.#cookies(taskIds);
    const result = new Map<string, TaskUsage>();
    if (ids.size === 0) return result;
    const left = sampleMs - (performance.now() - this.#beganAt);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    const elapsedMs = performance.now() - this.#beganAt;
    const ours = this.#begun.filter(({ cookie }) => ids.has(cookie));
    const before = new Map(ours.map((seen) => [seen.pid, seen.cpuMs]));
    for (const seen of await this.#system.usageAgain(ours)) {
      const taskId = ids.get(seen.cookie) ?? '';
      const spentMs = Math.max(0, seen.cpuMs - (before.get(seen.pid) ?? 0));
      result.set(taskId, add(result.get(taskId), seen.memoryBytes, (100 * spentMs) / elapsedMs));
    }
    return result;
  }

  /** The cookie of each task that has processes, and whose it is. */
  #cookies(taskIds: readonly string[]): Map<string, string> {
    const seen = new Map<string, Set<string>>();
    // A cookie begins with the id of its task.
    for (const { cookie } of this.#begun) {
      const taskId = cookie.slice(0, cookie.indexOf('.'));
      seen.set(taskId, (seen.get(taskId) ?? new Set()).add(cookie));
    }
    const ids = new Map<string, string>();
    for (const taskId of taskIds.filter((id) => taskIdPattern.test(id))) {
      const [cookie, ...others] = seen.get(taskId) ?? [];
      if (cookie === undefined) continue;
      const own = others.length === 0 ? cookie : this.#cookieOf(taskId);
      if (own !== null) ids.set(own, taskId);
    }
    return ids;
  }

  /** Somebody pretends to be of the task, or a task of another store has the same id: the record says who is. */
  #cookieOf(taskId: string): string | null {
    for (const { paths } of this.#contexts) {
      const log = readLog(taskPaths(paths, taskId).log);
      if (log !== null) return foldFacts(log.list).spec?.cookie ?? null;
    }
    return null;
  }
}

function add(sum: TaskUsage | undefined, memoryBytes: number, cpuPercent: number): TaskUsage {
  return {
    processes: (sum?.processes ?? 0) + 1,
    memoryBytes: (sum?.memoryBytes ?? 0) + memoryBytes,
    cpuPercent: (sum?.cpuPercent ?? 0) + cpuPercent,
  };
}
