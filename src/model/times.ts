import type { ExitFact, StartedFact } from './facts.ts';
import { bounds } from './limits.ts';

/**
 * How long a command ran, in milliseconds: by the clock of its shim, which nobody sets and which stands still while the
 * machine sleeps. `null` where the facts do not tell. The later time must be the shim's own, or that of a process which
 * shares its clock: in another container it may be another one.
 */
export function ranMs(started: StartedFact, later: Pick<ExitFact, 'monoMs'>): number | null {
  if (started.monoMs === null || later.monoMs === null) return null;
  const elapsed = later.monoMs - started.monoMs;
  return elapsed < 0 || elapsed > bounds.durationMs ? null : Math.round(elapsed);
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
