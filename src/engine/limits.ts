import type { Facts } from '../model/fold.ts';
import { nextLook, overshoot, pauseFor } from '../model/output-pace.ts';
import { elapsedMs } from '../model/times.ts';
import { now } from '../platform/clock.ts';
import { outputSize, type Stream } from '../tasklog/output.ts';
import { outputPath } from '../tasklog/paths.ts';
import { after, monotonicMs, type Timer } from '../util/wait.ts';
import { background } from './background.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { enforce } from './enforce.ts';
import { GrowthWatch } from './growth-watch.ts';
import { stopTask } from './stop.ts';

/** A task whose output has not grown is looked at so often while its growth would be told. */
const quietLookMs = 4_000;

/** When the looks that distance asks for are more than this a second, a watch is cheaper. */
const mostLooksASecond = 250;

/** How often that is reckoned. */
const reckonEveryMs = 1_000;

/** Starts the timer of a task's timeout, by the record: what has passed since it started has passed. */
export function armDeadline(context: SessionContext, live: LiveTask, facts: Facts): void {
  live.deadline?.cancel();
  live.deadline = null;
  const { spec, started, stop } = facts;
  if (spec === undefined || stop !== undefined) return;
  const elapsed = started === undefined ? 0 : elapsedMs(spec, started, now());
  const { staleAfterMs } = context.limits;
  if (staleAfterMs !== null && !live.own && elapsed >= staleAfterMs) {
    enforce(context, live.id, 'stale');
  } else if (spec.timeoutMs !== null) {
    const left = spec.timeoutMs - elapsed;
    live.deadline = after(left, () => enforce(context, live.id, 'timeout'));
  }
}

/**
 * Looks at the size of the output of running tasks, the more often the nearer one is to its limit. Looks fall on
 * common ticks, so that a thousand quiet tasks are one wake-up. Where that would still be many looks, because
 * limits are small or nearly reached, quiet tasks are left to a watch on the folder.
 */
export class OutputLimits {
  readonly #context: SessionContext;
  readonly #growth: GrowthWatch;
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

  /** To be called when a task is there to be looked at. */
  include(live: LiveTask): void {
    if (live.maxOutputBytes === null) return;
    const time = monotonicMs();
    // What another process has started may have written much already.
    live.outputCheckAt = live.own ? dueAfter(time, live, live.maxOutputBytes) : time;
    this.#arm(live.outputCheckAt);
  }

  close(): void {
    this.#timer?.cancel();
    this.#growth.close();
  }

  #arm(dueAt: number): void {
    if (dueAt >= this.#dueAt || this.#context.closed) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = after(Math.max(0, dueAt - monotonicMs()), () => this.#look());
  }

  #look(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    // Timers may come a little early.
    const due = monotonicMs() + 1;
    for (const live of this.#context.live.values()) {
      if (live.maxOutputBytes === null) continue;
      if (live.outputCheckAt <= due) this.#lookAt(live, live.maxOutputBytes);
      next = Math.min(next, live.outputCheckAt);
    }
    this.#reckon();
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
  }

  #lookAt(live: LiveTask, limit: number): void {
    const size = sizeOf(this.#context, live);
    const isQuiet = size === live.outputBytes && this.#growth.isArmed;
    live.outputBytes = size;
    const time = monotonicMs();
    live.outputCheckAt = isQuiet ? nextLook(time, quietLookMs) : dueAfter(time, live, limit);
    if (size <= limit) return;
    if (live.stop === null) enforce(this.#context, live.id, 'output_limit');
    // It is being stopped and goes on writing all the same: the grace is not for that.
    else if (size > limit * (1 + overshoot / 2)) {
      const byForce = { cause: 'output_limit', graceMs: 0, killSignal: 'SIGKILL' } as const;
      background(stopTask(this.#context, live.id, byForce));
    }
  }

  /** Arms the watch when looks would cost more. */
  #reckon(): void {
    const time = monotonicMs();
    if (this.#growth.isArmed || time < this.#reckonAt) return;
    this.#reckonAt = time + reckonEveryMs;
    let looks = 0;
    for (const { maxOutputBytes, outputBytes } of this.#context.live.values()) {
      if (maxOutputBytes !== null) looks += 1_000 / pauseFor(maxOutputBytes - outputBytes, maxOutputBytes);
    }
    if (looks > mostLooksASecond) this.#growth.arm();
  }

  #grew(taskId: string): void {
    const live = this.#context.live.get(taskId);
    if (live === undefined || live.maxOutputBytes === null) return;
    const dueAt = dueAfter(monotonicMs(), live, live.maxOutputBytes);
    if (dueAt >= live.outputCheckAt) return;
    live.outputCheckAt = dueAt;
    this.#arm(dueAt);
  }

  #lookByDistance(): void {
    for (const taskId of this.#context.live.keys()) this.#grew(taskId);
  }
}

function dueAfter(time: number, live: LiveTask, limit: number): number {
  return nextLook(time, pauseFor(limit - live.outputBytes, limit));
}

function sizeOf(context: SessionContext, live: LiveTask): number {
  const size = (stream: Stream): number =>
    outputSize({ path: outputPath(context.paths, live.id, stream), cut: undefined });
  return size('stdout') + (live.separate ? size('stderr') : 0);
}
