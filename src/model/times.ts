import type { ExitFact, SpecFact } from './facts.ts';
import type { Started } from './fold.ts';
import { bounds } from './limits.ts';

/** Length of a clock tick in /proc/PID/stat: the kernel's USER_HZ is 100 on every architecture that Node runs on. */
const tickMs = 10;

/** A start longer than this after the spec is no slow machine but two clocks that do not agree (lxcfs). */
const plausibleDelayMs = 60 * 60_000;

/**
 * When the shim started, in milliseconds of the clock of `spec.uptimeMs`. The record alone decides, so
 * every process computes the same value; without a shared clock it is the time of the spec.
 */
export function startedUptimeMs(spec: SpecFact, started: Started): number | null {
  if (spec.uptimeMs === null) return null;
  const waited = waitedMs(spec, started);
  if (waited !== null) return spec.uptimeMs + waited;
  if (started.start === null) return spec.uptimeMs;
  const delay = started.start * tickMs - spec.uptimeMs;
  // A tick is 10 ms long, so a start can seem to come a little before the spec.
  return delay < 0 || delay > plausibleDelayMs ? spec.uptimeMs : spec.uptimeMs + delay;
}

/** When the shim started, in epoch milliseconds by the clock that the spawner had; steps of the clock do not move it. */
export function startedAt(spec: SpecFact, started: Started): number {
  const uptime = startedUptimeMs(spec, started);
  if (uptime === null || spec.uptimeMs === null)
    return Math.round(spec.createdAt + (waitedMs(spec, started) ?? 0));
  return Math.round(spec.createdAt + uptime - spec.uptimeMs);
}

/**
 * How long a queued task waited for its turn: its shim was started at once, so the start time of the shim does
 * not tell. `null` for a task that was not queued.
 */
function waitedMs(spec: SpecFact, started: Started): number | null {
  const { uptime, turnAt } = started;
  if (uptime !== undefined && spec.uptimeMs !== null) return plausible(uptime * 1000 - spec.uptimeMs);
  return turnAt === undefined ? null : plausible(turnAt - spec.createdAt);
}

function plausible(waitMs: number): number {
  return waitMs > 0 && waitMs <= bounds.durationMs ? waitMs : 0;
}

/** When the command ended, in epoch milliseconds, or null when the marker has no time. */
export function endedAt(spec: SpecFact, exit: ExitFact): number | null {
  if (spec.uptimeMs === null || exit.uptime === null) return null;
  const elapsed = exit.uptime * 1000 - spec.uptimeMs;
  return elapsed < -tickMs || elapsed > bounds.durationMs
    ? null
    : Math.round(spec.createdAt + Math.max(0, elapsed));
}

/**
 * How long a task has run, in milliseconds: by the clock since boot where there is one, so that neither a
 * restart of the supervisor nor a step of the wall clock extends a timeout.
 */
export function elapsedMs(
  spec: SpecFact,
  started: Started,
  now: { epochMs: number; uptimeMs: number | null },
): number {
  const begin = startedUptimeMs(spec, started);
  if (begin === null || now.uptimeMs === null) return Math.max(0, now.epochMs - startedAt(spec, started));
  return Math.max(0, now.uptimeMs - begin);
}

/** What is known of when a live task wrote; epoch milliseconds. */
export interface Writing {
  readonly startedAt: number | null;
  /** `null`: it wrote nothing yet. */
  readonly lastWrittenAt: number | null;
  readonly nowMs: number;
}

/**
 * Whether a task has been silent for a minute, and certainly for longer than ever before. How long its silences
 * were nobody has seen, but none before its last write can have been longer than all the time from its start to
 * that write. So this says yes late, and never wrongly; and every process that looks says the same.
 */
export function isSilent({ startedAt, lastWrittenAt, nowMs }: Writing): boolean {
  if (startedAt === null) return false;
  const since = Math.max(startedAt, lastWrittenAt ?? startedAt);
  const silentMs = nowMs - since;
  return silentMs >= bounds.silentMs && silentMs > since - startedAt;
}
