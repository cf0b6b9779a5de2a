import type { ProcessUsage, System } from '../../platform/system.ts';
import { after, monotonicMs, type Timer } from '../../util/wait.ts';
import { background, type Place } from '../session/background.ts';
import { ProcessCache } from '../session/process-cache.ts';
import { CookieReader } from './cookie-reader.ts';
import { type ListeningPort, portsOf } from './listening.ts';
import { add, type TaskUsage } from './usage.ts';

/** The shortest time between two samples, in milliseconds. */
const shortestMs = 2_000;

/** All samples together take at most this part of one core. */
const share = 0.02;

/** CPU time is what was used between two samples. This many milliseconds separate the first two. */
const firstMs = 250;

/** One sample may take long because the machine was busy: the fastest of this many counts. */
const mostCosts = 3;

/** A task that may have processes. */
export interface MeasuredTask {
  readonly taskId: string;
  readonly cookie: string;
  readonly shimPid: number;
  readonly shimStart: number | null;
}

/** What was seen of the tasks of one viewer. */
export interface UsageSample {
  /** By the ids of the tasks. Those without a live process of this machine are left out. */
  readonly usage: ReadonlyMap<string, TaskUsage>;
  /** The ports at which their processes listen, by the ids of those that do. */
  readonly ports: ReadonlyMap<string, readonly ListeningPort[]>;
  /** Tasks that are stopped by a signal now. `null`: this system does not tell it with the usage. */
  readonly suspended: ReadonlySet<string> | null;
  /** The time over which CPU was measured, in milliseconds. */
  readonly sampleMs: number;
}

/** Somebody who wants to know again and again what tasks use. */
export interface UsageViewer extends Place {
  /** The tasks to measure now. */
  measured(): Iterable<MeasuredTask>;
  /** Called with each sample. */
  tell(sample: UsageSample): void;
}

/** When and what all processes had used. */
interface Look {
  readonly at: number;
  readonly cpuMs: ReadonlyMap<string, number>;
}

/**
 * Measures what tasks use, once for all viewers of a process, and not at all while there are none. Each sample lists the
 * processes of the machine once, so the time between two samples grows with what that costs.
 */
export class UsageSampler {
  readonly #system: System;
  readonly #viewers = new Set<UsageViewer>();
  readonly #cookies: CookieReader;
  #before: Look | null = null;
  #last: UsageSample | null = null;
  #costs: number[] = [];
  #timer: Timer | null = null;
  #isSampling = false;

  constructor(system: System) {
    this.#system = system;
    this.#cookies = new CookieReader(system);
  }

  /** Tells a viewer of each sample from now on, and of the newest one at once, until the returned function is called. */
  add(viewer: UsageViewer): () => void {
    this.#viewers.add(viewer);
    if (this.#last !== null) tellOwn(viewer, this.#last);
    else this.#sampleAfter(0);
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#stop();
    };
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#before = null;
    this.#last = null;
    this.#costs = [];
    this.#cookies.forget();
  }

  #sampleAfter(ms: number): void {
    const [viewer] = this.#viewers;
    if (viewer === undefined || this.#isSampling) return;
    this.#timer ??= after(ms, () => {
      this.#timer = null;
      background(viewer, 'measuring what tasks use', this.#sample());
    });
  }

  async #sample(): Promise<void> {
    this.#isSampling = true;
    let nextMs = shortestMs;
    try {
      nextMs = await this.#look();
    } finally {
      this.#isSampling = false;
      this.#sampleAfter(nextMs);
    }
  }

  /** @returns after how many milliseconds the next sample is due. */
  async #look(): Promise<number> {
    const tasks = this.#tasks();
    if (tasks.size === 0) {
      this.#before = null;
      this.#tell({ usage: new Map(), ports: new Map(), suspended: null, sampleMs: 0 });
      return shortestMs;
    }
    const at = monotonicMs();
    const seen = await this.#system.usage();
    // The last viewer may have left meanwhile, and another may have come.
    if (this.#viewers.size === 0) return shortestMs;
    const before = this.#before;
    this.#before = { at, cpuMs: new Map(seen.map((one) => [keyOf(one), one.cpuMs])) };
    if (before !== null) this.#tell(this.#compare(tasks, seen, { at, before }));
    const nextMs = this.#dueAfter(monotonicMs() - at);
    return before === null ? firstMs : nextMs;
  }

  /** The tasks of all viewers, by their cookies. */
  #tasks(): Map<string, MeasuredTask> {
    const tasks = new Map<string, MeasuredTask>();
    for (const viewer of this.#viewers) for (const task of viewer.measured()) tasks.set(task.cookie, task);
    return tasks;
  }

  #compare(
    tasks: ReadonlyMap<string, MeasuredTask>,
    seen: readonly ProcessUsage[],
    { at, before }: { readonly at: number; readonly before: Look },
  ): UsageSample {
    const sampleMs = at - before.at;
    const cache = new ProcessCache(seen);
    const suspended = new Set<string>();
    let areAllInSight = true;
    for (const { taskId, cookie, shimPid, shimStart } of tasks.values()) {
      const shim = cache.shim(shimPid, shimStart, cookie);
      areAllInSight &&= shim !== null;
      if (shim?.suspended) suspended.add(taskId);
    }
    const usage = new Map<string, TaskUsage>();
    const pids = new Map<string, number[]>();
    for (const one of seen) {
      const cookie = this.#cookies.cookieOf(one, cache, !areAllInSight);
      const task = cookie === null ? undefined : tasks.get(cookie);
      if (task === undefined) continue;
      // A shim does nothing but wait. A process that has come since the last sample has used all its time since then.
      const isShim = cache.cookieOfShim(one.pid) !== null;
      const spentMs = isShim ? 0 : one.cpuMs - (before.cpuMs.get(keyOf(one)) ?? 0);
      const cpuPercent = (100 * Math.max(0, spentMs)) / sampleMs;
      usage.set(task.taskId, add(usage.get(task.taskId), one.memoryBytes, cpuPercent));
      if (!isShim) pids.set(task.taskId, [...(pids.get(task.taskId) ?? []), one.pid]);
    }
    this.#cookies.keepOnly(seen);
    const isTold = seen.some(({ view }) => view !== undefined);
    return { usage, ports: portsOf(pids), suspended: isTold ? suspended : null, sampleMs };
  }

  #tell(sample: UsageSample): void {
    this.#last = sample;
    for (const viewer of this.#viewers) tellOwn(viewer, sample);
  }

  #dueAfter(costMs: number): number {
    this.#costs = [...this.#costs, costMs].slice(-mostCosts);
    return Math.max(shortestMs, Math.min(...this.#costs) / share);
  }
}

/** Each is told of its own tasks. */
function tellOwn(viewer: UsageViewer, { usage, ports, suspended, sampleMs }: UsageSample): void {
  const own = new Map<string, TaskUsage>();
  const ownPorts = new Map<string, readonly ListeningPort[]>();
  const ownSuspended = new Set<string>();
  for (const { taskId } of viewer.measured()) {
    const used = usage.get(taskId);
    if (used !== undefined) own.set(taskId, used);
    const listened = ports.get(taskId);
    if (listened !== undefined) ownPorts.set(taskId, listened);
    if (suspended?.has(taskId)) ownSuspended.add(taskId);
  }
  viewer.tell({ usage: own, ports: ownPorts, suspended: suspended && ownSuspended, sampleMs });
}

/** Where start times are not told, a pid alone has to do. */
function keyOf({ pid, view }: ProcessUsage): string {
  return `${pid}:${view?.start ?? ''}`;
}

const samplers = new WeakMap<System, UsageSampler>();

/** The one sampler of this process. */
export function usageSampler(system: System): UsageSampler {
  const sampler = samplers.get(system) ?? new UsageSampler(system);
  samplers.set(system, sampler);
  return sampler;
}
