import type { SpecFact } from '../../model/facts.ts';
import { nextLook, overshoot, pauseFor } from '../../model/output-pace.ts';
import { outputSize, type Stream } from '../../tasklog/output.ts';
import { outputPath } from '../../tasklog/paths.ts';
import { after, monotonicMs, type Timer } from '../../util/wait.ts';
import { enforce } from '../end/enforce.ts';
import { stopTask } from '../end/stop.ts';
import { background, guarded } from '../session/background.ts';
import type { LiveTask, SessionContext } from '../session/context.ts';
import { GrowthWatch } from './growth-watch.ts';

/** How often it checks a task whose output has not grown, while events would report growth. */
const quietLookMs = 4_000;

/** When the looks that distance asks for are more than this a second, a watch is cheaper. */
const mostLooksASecond = 250;

/** How often that is reckoned. */
const reckonEveryMs = 1_000;

/** A task whose output has a limit. */
interface Watched {
  readonly limit: number;
  /** stderr goes to a file of its own. */
  readonly separate: boolean;
  /** Size of its output at the last look. */
  bytes: number;
  /** When to look again, in milliseconds of `monotonicMs()`. */
  checkAt: number;
}

/**
 * Checks the size of the output of running tasks, the more often the nearer one is to its limit. Checks fall on common
 * ticks, so that a thousand quiet tasks cause one wake-up. If that would still be many checks, because limits are small
 * or nearly reached, a watch on the folder covers the quiet tasks.
 */
export class OutputLimits {
  readonly #context: SessionContext;
  readonly #growth: GrowthWatch;
  readonly #tasks = new Map<string, Watched>();
  #timer: Timer | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #reckonAt = 0;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#growth = new GrowthWatch(
      context.paths.output,
      (taskId) => this.#grew(taskId),
      () => this.#lookByDistance(),
    );
  }

  /** Begins to look at the output of a task, which may have written much already. */
  include(taskId: string, { maxOutputBytes, separate }: SpecFact): void {
    if (maxOutputBytes === null || this.#tasks.has(taskId)) return;
    const checkAt = monotonicMs();
    this.#tasks.set(taskId, { limit: maxOutputBytes, separate, bytes: 0, checkAt });
    this.#arm(checkAt);
  }

  drop(taskId: string): void {
    this.#tasks.delete(taskId);
  }

  close(): void {
    this.#timer?.cancel();
    this.#growth.close();
  }

  #arm(dueAt: number): void {
    if (dueAt >= this.#dueAt || this.#context.closed) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    const look = guarded(this.#context, 'checking output', () => this.#look());
    this.#timer = after(Math.max(0, dueAt - monotonicMs()), look);
  }

  #look(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    // Timers may come a little early.
    const due = monotonicMs() + 1;
    for (const [taskId, watched] of this.#tasks) {
      const live = this.#context.live.get(taskId);
      if (live === undefined) continue;
      if (watched.checkAt <= due) this.#lookAt(live, watched);
      next = Math.min(next, watched.checkAt);
    }
    this.#reckon();
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
  }

  #lookAt(live: LiveTask, watched: Watched): void {
    const { limit } = watched;
    const size = sizeOf(this.#context, live.id, watched.separate);
    const isQuiet = size === watched.bytes && this.#growth.isArmed;
    watched.bytes = size;
    const time = monotonicMs();
    watched.checkAt = isQuiet ? nextLook(time, quietLookMs) : dueAfter(time, watched);
    if (size <= limit) return;
    if (live.stop === null) enforce(this.#context, live.id, 'output_limit');
    // It is being stopped and still writes: the grace is not for that.
    else if (size > limit * (1 + overshoot / 2)) {
      const byForce = { cause: 'output_limit', graceMs: 0, killSignal: 'SIGKILL' } as const;
      background(this.#context, 'stopping a task', stopTask(this.#context, live.id, byForce), live.id);
    }
  }

  /** Arms the watch when looks would cost more. */
  #reckon(): void {
    const time = monotonicMs();
    if (this.#growth.isArmed || time < this.#reckonAt) return;
    this.#reckonAt = time + reckonEveryMs;
    let looks = 0;
    for (const { limit, bytes } of this.#tasks.values()) looks += 1_000 / pauseFor(limit - bytes, limit);
    if (looks > mostLooksASecond) this.#growth.arm();
  }

  #grew(taskId: string): void {
    const watched = this.#tasks.get(taskId);
    if (watched === undefined) return;
    const dueAt = dueAfter(monotonicMs(), watched);
    if (dueAt >= watched.checkAt) return;
    watched.checkAt = dueAt;
    this.#arm(dueAt);
  }

  #lookByDistance(): void {
    for (const taskId of this.#tasks.keys()) this.#grew(taskId);
  }
}

function dueAfter(time: number, { limit, bytes }: Watched): number {
  return nextLook(time, pauseFor(limit - bytes, limit));
}

function sizeOf({ paths }: SessionContext, taskId: string, separate: boolean): number {
  const size = (stream: Stream): number =>
    outputSize({ path: outputPath(paths, taskId, stream), cut: undefined });
  return size('stdout') + (separate ? size('stderr') : 0);
}
