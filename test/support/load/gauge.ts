import { readdirSync, readFileSync } from 'node:fs';
import type { Agent } from '../agents.ts';

/** A process at one moment. */
export interface Sample {
  /** Milliseconds since the first sample. */
  readonly atMs: number;
  /** What JavaScript holds after a collection. */
  readonly heapMb: number;
  /** Memory of its own, in use. */
  readonly memoryMb: number;
  readonly descriptors: number;
  /** CPU used since the sample before, of one core. */
  readonly cpuPercent: number;
  /** What has been done so far, as the one who measures counts it. */
  readonly done: number;
}

/** Looks at an agent again and again. It must have been started with `--expose-gc`. */
export class Gauge {
  readonly samples: Sample[] = [];
  readonly #agent: Agent;
  readonly #done: () => number;
  #begin = performance.now();
  #at = 0;
  #cpuMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(agent: Agent, done: () => number = () => 0) {
    this.#agent = agent;
    this.#done = done;
  }

  /** Looks now, and then each so many milliseconds until {@link Gauge.stop}. */
  async start(everyMs: number): Promise<void> {
    this.#begin = performance.now();
    this.#at = this.#begin;
    this.#cpuMs = cpuMs(this.#agent.pid);
    await this.look();
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().then(() => {
        this.#looking = undefined;
      });
    }, everyMs);
  }

  /** The last sample, when what was under way has been closed, or five seconds later if it never is. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    const [first, end] = [this.samples[0]?.descriptors ?? 0, performance.now() + 5_000];
    // To look takes a moment, in which the agent may open a file: the sample itself says whether there is one too many.
    for (let last = await this.look(); last.descriptors > first && performance.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      this.samples.pop();
      last = await this.look();
    }
  }

  /** One sample more. */
  async look(): Promise<Sample> {
    const heapMb = await heapOf(this.#agent);
    const [now, used] = [performance.now(), cpuMs(this.#agent.pid)];
    const cpuPercent = now > this.#at ? ((used - this.#cpuMs) / (now - this.#at)) * 100 : 0;
    const sample = {
      atMs: now - this.#begin,
      heapMb,
      memoryMb: memoryMb(this.#agent.pid),
      descriptors: descriptorsOf(this.#agent.pid),
      cpuPercent,
      done: this.#done(),
    };
    [this.#at, this.#cpuMs] = [now, used];
    this.samples.push(sample);
    return sample;
  }
}

/** By how many bytes the heap grew over these samples: the median of their last third against that of the first. */
export function heapGrowth(samples: readonly Sample[]): number {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const middle = (some: readonly Sample[]): number =>
    some.map(({ heapMb }) => heapMb * 1e6).sort((a, b) => a - b)[Math.floor(some.length / 2)] ?? 0;
  return middle(samples.slice(-third)) - middle(samples.slice(0, third));
}

/** What an agent's JavaScript holds, in MB, after what is dead was collected. */
async function heapOf(agent: Agent): Promise<number> {
  return await agent.run(() => {
    // Twice: what the first run finds dead may hold what only the second one finds.
    globalThis.gc?.();
    globalThis.gc?.();
    return process.memoryUsage().heapUsed / 1e6;
  });
}

/** How many files a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The memory of its own that a process has in use, in MB. */
export function memoryMb(pid: number): number {
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1000;
}

/** CPU time of all threads so far. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + Number(schedstat(pid, thread).split(' ')[0]) / 1e6, 0);
}

function schedstat(pid: number, thread: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
  } catch {
    return '0';
  }
}
