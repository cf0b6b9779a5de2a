import type { SessionContext } from '../engine/context.ts';
import { Sight } from '../engine/sight.ts';
import { foldFacts } from '../model/fold.ts';
import type { ProcessUsage, System } from '../platform/system.ts';
import { readLog } from '../tasklog/log.ts';
import { taskIdPattern, taskPaths } from '../tasklog/paths.ts';
import { monotonicMs } from '../util/wait.ts';

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

const sights = new WeakMap<UsageMeter, () => Sight | null>();

/** What a measurement has seen of processes; null when that is too long ago to be told as what is. */
export function sightOf(meter: UsageMeter): Sight | null {
  return sights.get(meter)?.() ?? null;
}

/**
 * A measurement that has begun: CPU time is what is used from then until it is read. Whoever has something else to
 * do meanwhile loses no time by it. Processes that come meanwhile are left out.
 */
export class UsageMeter {
  readonly #system: System;
  readonly #contexts: readonly SessionContext[];
  readonly #begun: readonly ProcessUsage[];
  readonly #seen: Sight;
  readonly #beganAt = monotonicMs();

  private constructor(system: System, contexts: readonly SessionContext[], begun: readonly ProcessUsage[]) {
    this.#system = system;
    this.#contexts = contexts;
    this.#begun = begun;
    this.#seen = new Sight(begun);
    sights.set(this, () => (monotonicMs() - this.#beganAt > freshMs ? null : this.#seen));
  }

  /** For `Store` only: use `store.meter()`. */
  static async start(system: System, contexts: readonly SessionContext[]): Promise<UsageMeter> {
    return new UsageMeter(system, contexts, await system.usage());
  }

  /**
   * What the trees of tasks use, by their ids; tasks without a live process of this machine are left out.
   * @param sampleMs the measurement takes at least so many milliseconds; the rest is waited for.
   */
  async read(taskIds: readonly string[], sampleMs: number): Promise<Map<string, TaskUsage>> {
    const result = new Map<string, TaskUsage>();
    const ours = this.#processesOf(taskIds);
    if (ours.length === 0) return result;
    const left = sampleMs - (monotonicMs() - this.#beganAt);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    const elapsedMs = monotonicMs() - this.#beganAt;
    // A shim does nothing but wait.
    const working = ours.flatMap(({ seen }) => (this.#isShim(seen) ? [] : [seen]));
    const again = new Map((await this.#system.usageAgain(working)).map((now) => [now.pid, now]));
    for (const { seen, taskId } of ours) {
      const now = this.#isShim(seen) ? seen : again.get(seen.pid);
      if (now === undefined) continue;
      const spentMs = Math.max(0, now.cpuMs - seen.cpuMs);
      result.set(taskId, add(result.get(taskId), now.memoryBytes, (100 * spentMs) / elapsedMs));
    }
    return result;
  }

  #isShim({ pid }: ProcessUsage): boolean {
    return this.#seen.cookieOfShim(pid) !== null;
  }

  /** The processes of tasks, with whose they are. */
  #processesOf(taskIds: readonly string[]): { readonly seen: ProcessUsage; readonly taskId: string }[] {
    const wanted = new Set(taskIds.filter((id) => taskIdPattern.test(id)));
    if (wanted.size === 0) return [];
    const told = new Set(this.#seen.cookies().map(taskIdOfCookie));
    // Who looks for tasks whose shims are not all in sight has to ask everybody.
    const askOlder = [...wanted].some((id) => !told.has(id));
    const carried = this.#begun.flatMap((seen) => {
      const cookie = this.#cookieOf(seen, askOlder);
      return cookie !== null && wanted.has(taskIdOfCookie(cookie)) ? [{ seen, cookie }] : [];
    });
    const owners = this.#owners(carried.map(({ cookie }) => cookie));
    return carried.flatMap(({ seen, cookie }) => {
      const taskId = owners.get(cookie);
      return taskId === undefined ? [] : [{ seen, taskId }];
    });
  }

  /** Nobody enters the session of another task's shim: what is in it need not be asked what it carries. */
  #cookieOf({ pid, cookie, view }: ProcessUsage, askOlder: boolean): string | null {
    if (cookie !== null || view === undefined) return cookie;
    const ofShim = this.#seen.cookieOfShim(view.session);
    if (ofShim !== null) return ofShim;
    if (!askOlder && this.#seen.isOlderThanAll(view)) return null;
    return this.#system.cookieOf?.(pid) ?? null;
  }

  /** Which task each cookie is of. */
  #owners(cookies: readonly string[]): Map<string, string> {
    const seen = new Map<string, Set<string>>();
    for (const cookie of cookies) {
      const taskId = taskIdOfCookie(cookie);
      seen.set(taskId, (seen.get(taskId) ?? new Set()).add(cookie));
    }
    const owners = new Map<string, string>();
    for (const [taskId, [cookie = '', ...others]] of seen) {
      const own = others.length === 0 ? cookie : this.#recordedCookie(taskId);
      if (own !== null) owners.set(own, taskId);
    }
    return owners;
  }

  /** Somebody pretends to be of the task, or a task of another store has the same id: the record says who is. */
  #recordedCookie(taskId: string): string | null {
    for (const { paths } of this.#contexts) {
      const log = readLog(taskPaths(paths, taskId).log);
      if (log !== null) return foldFacts(log.list).spec?.cookie ?? null;
    }
    return null;
  }
}

/** A cookie begins with the id of its task. */
function taskIdOfCookie(cookie: string): string {
  return cookie.slice(0, cookie.indexOf('.'));
}

function add(sum: TaskUsage | undefined, memoryBytes: number, cpuPercent: number): TaskUsage {
  return {
    processes: (sum?.processes ?? 0) + 1,
    memoryBytes: (sum?.memoryBytes ?? 0) + memoryBytes,
    cpuPercent: (sum?.cpuPercent ?? 0) + cpuPercent,
  };
}
