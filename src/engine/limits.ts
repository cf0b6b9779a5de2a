import { type Facts, noFacts } from '../model/fold.ts';
import { defaults } from '../model/limits.ts';
import { elapsedMs } from '../model/times.ts';
import type { StopCause } from '../model/words.ts';
import { now } from '../platform/clock.ts';
import { outputSize } from '../tasklog/output.ts';
import { after, type Timer } from '../util/wait.ts';
import { background } from './background.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { observe } from './observe.ts';
import { stopTask } from './stop.ts';
import { outputFile } from './streams.ts';

/** No writer is taken to be faster than this, in bytes a millisecond (1 GB/s). */
const fastestWriter = 1e6;

/** Bounds of the time between two looks at a task's output. */
const shortestLookMs = 20;
const longestLookMs = 1_000;

/** Starts the timer of a task's timeout, by the record: what has passed since it started has passed. */
export function armDeadline(context: SessionContext, live: LiveTask, facts: Facts): void {
  live.deadline?.cancel();
  live.deadline = null;
  const { spec, started, stop } = facts;
  if (spec === undefined || stop !== undefined) return;
  const elapsed = started === undefined ? 0 : elapsedMs(spec, started, now());
  const { staleAfterMs } = context.limits;
  if (staleAfterMs !== null && !live.own && elapsed >= staleAfterMs) {
    enforce(context, live.id, 'stale', spec.graceMs);
  } else if (spec.timeoutMs !== null) {
    const left = spec.timeoutMs - elapsed;
    live.deadline = after(left, () => enforce(context, live.id, 'timeout', spec.graceMs));
  }
}

function enforce(context: SessionContext, taskId: string, cause: StopCause, graceMs: number): void {
  background(stopTask(context, taskId, { cause, graceMs, killSignal: 'SIGTERM' }));
}

/** Looks at the size of the output of running tasks, the more often the nearer one is to its limit. */
export class OutputLimits {
  readonly #context: SessionContext;
  #timer: Timer | null = null;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** To be called when a task is there to be looked at. */
  include(live: LiveTask): void {
    if (live.maxOutputBytes === null) return;
    live.outputCheckAt = performance.now() + pauseFor(live.maxOutputBytes);
    this.#arm(live.outputCheckAt);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #arm(dueAt: number): void {
    if (dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = after(Math.max(0, dueAt - performance.now()), () => this.#look());
  }

  #look(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    const time = performance.now();
    for (const live of this.#context.live.values()) {
      if (live.maxOutputBytes === null || live.stop !== null) continue;
      // Whoever is due within the shortest pause is looked at together with those that are due.
      if (live.outputCheckAt <= time + shortestLookMs) this.#lookAt(live, live.maxOutputBytes);
      next = Math.min(next, live.outputCheckAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
  }

  #lookAt(live: LiveTask, limit: number): void {
    const left = limit - sizeOf(this.#context, live.id);
    live.outputCheckAt = performance.now() + pauseFor(left);
    if (left >= 0) return;
    const graceMs = observe(this.#context, live.id)?.facts.spec?.graceMs ?? defaults.graceMs;
    enforce(this.#context, live.id, 'output_limit', graceMs);
  }
}

function sizeOf(context: SessionContext, taskId: string): number {
  const size = (stream: 'stdout' | 'stderr'): number =>
    outputSize(outputFile(context.paths, taskId, stream, noFacts));
  return size('stdout') + size('stderr');
}

function pauseFor(bytesLeft: number): number {
  return Math.min(longestLookMs, Math.max(shortestLookMs, bytesLeft / fastestWriter));
}
