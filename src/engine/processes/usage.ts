import type { ProcessUsage, System } from '../../platform/system.ts';
import { taskIdPattern } from '../../tasklog/paths.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import { ProcessCache } from '../session/process-cache.ts';
import { readRecord } from '../session/read-record.ts';
import { CookieReader } from './cookie-reader.ts';
import { type ListeningPort, portsOf } from './listening.ts';

/** What the whole tree of a task uses now. */
export interface TaskUsage {
  /** Live processes, the shim among them. */
  readonly processes: number;
  /** Resident memory; pages that processes share are counted for each of them. */
  readonly memoryBytes: number;
  /** Share of one core during the sample, in percent: 200 is two whole cores. */
  readonly cpuPercent: number;
}

/** How long the processes that a measurement has seen count as current, in milliseconds. */
const freshMs = 1_000;

/** A process, and whose it is. */
interface OwnedProcess {
  readonly seen: ProcessUsage;
  readonly taskId: string;
}

const sights = new WeakMap<UsageMeter, () => ProcessCache | null>();

/** What a measurement has seen of processes; null when that is too long ago to be told as what is. */
export function cacheOf(meter: UsageMeter): ProcessCache | null {
  return sights.get(meter)?.() ?? null;
}

/**
 * A measurement that has begun: it counts the CPU time used until it is read. The caller can do other work meanwhile.
 * It leaves out processes that start meanwhile.
 */
export class UsageMeter {
  readonly #system: System;
  readonly #contexts: () => Iterable<SessionContext>;
  readonly #begun: readonly ProcessUsage[];
  readonly #seen: ProcessCache;
  readonly #beganAt = monotonicMs();
  /** To find whose each process is costs more than all else. */
  #asked: { readonly taskIds: readonly string[]; readonly processes: readonly OwnedProcess[] } = {
    taskIds: [],
    processes: [],
  };

  private constructor(
    system: System,
    contexts: () => Iterable<SessionContext>,
    begun: readonly ProcessUsage[],
  ) {
    this.#system = system;
    this.#contexts = contexts;
    this.#begun = begun;
    this.#seen = new ProcessCache(begun);
    sights.set(this, () => (monotonicMs() - this.#beganAt > freshMs ? null : this.#seen));
  }

  /** For `Store` only: use `store.meter()`. */
  static async start(system: System, contexts: () => Iterable<SessionContext>): Promise<UsageMeter> {
    return new UsageMeter(system, contexts, await system.usage());
  }

  /**
   * What the trees of tasks use, by their ids, without tasks that have no live process on this machine.
   * @param sampleMs the measurement takes at least this many milliseconds; it waits for the rest.
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

  /** The ports at which the processes of tasks listen, by the ids of those that do. None on macOS, which lists no sockets. */
  ports(taskIds: readonly string[]): Map<string, ListeningPort[]> {
    const pids = new Map<string, number[]>();
    for (const { seen, taskId } of this.#processesOf(taskIds))
      if (!this.#isShim(seen)) pids.set(taskId, [...(pids.get(taskId) ?? []), seen.pid]);
    return portsOf(pids);
  }

  #isShim({ pid }: ProcessUsage): boolean {
    return this.#seen.cookieOfShim(pid) !== null;
  }

  /** The processes of tasks, with whose they are. */
  #processesOf(taskIds: readonly string[]): readonly OwnedProcess[] {
    if (this.#asked.taskIds !== taskIds) this.#asked = { taskIds, processes: this.#find(taskIds) };
    return this.#asked.processes;
  }

  #find(taskIds: readonly string[]): OwnedProcess[] {
    const wanted = new Set(taskIds.filter((id) => taskIdPattern.test(id)));
    if (wanted.size === 0) return [];
    const told = new Set(this.#seen.cookies().map(taskIdOfCookie));
    // If the shim of a wanted task is not among those seen, it must ask every process.
    const askOlder = [...wanted].some((id) => !told.has(id));
    const cookies = new CookieReader(this.#system);
    const carried = this.#begun.flatMap((seen) => {
      const cookie = cookies.cookieOf(seen, this.#seen, askOlder);
      return cookie !== null && wanted.has(taskIdOfCookie(cookie)) ? [{ seen, cookie }] : [];
    });
    const owners = this.#owners(carried.map(({ cookie }) => cookie));
    return carried.flatMap(({ seen, cookie }) => {
      const taskId = owners.get(cookie);
      return taskId === undefined ? [] : [{ seen, taskId }];
    });
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
    for (const context of this.#contexts()) {
      const log = readRecord(context, taskId);
      if (log !== null) return log.facts.spec?.cookie ?? null;
    }
    return null;
  }
}

/** A cookie begins with the id of its task. */
function taskIdOfCookie(cookie: string): string {
  return cookie.slice(0, cookie.indexOf('.'));
}

/** What a task uses, with one process more. */
export function add(sum: TaskUsage | undefined, memoryBytes: number, cpuPercent: number): TaskUsage {
  return {
    processes: (sum?.processes ?? 0) + 1,
    memoryBytes: (sum?.memoryBytes ?? 0) + memoryBytes,
    cpuPercent: (sum?.cpuPercent ?? 0) + cpuPercent,
  };
}
