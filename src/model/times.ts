import type { ExitFact, StartedFact } from './facts.ts';
import type { Facts } from './fold.ts';
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

/**
 * When a task ended, in epoch milliseconds, as far as anybody has seen it: the settler, who may have ended it, or the
 * shim. A request that came before the start is the end of what never ran. `null`: nobody has.
 */
export function seenEnd({ outcome, exit, stop, isForbidden }: Facts): number | null {
  if (outcome !== undefined) return outcome.endedAt;
  if (exit !== undefined) return exit.at;
  return isForbidden ? (stop?.at ?? null) : null;
}

/** The times of a task's files, in epoch milliseconds. */
export interface Traces {
  /** When the log was last written. */
  readonly modifiedAt: number;
  /** When output was last written; `null`: nothing yet. */
  readonly lastWrittenAt: number | null;
  readonly nowMs: number;
}

/**
 * The newest trace of a task whose end nobody has seen, in epoch milliseconds. What others append to the log is none. A
 * file may have any time: one that is still to come says nothing.
 */
export function newestTrace(facts: Facts, { modifiedAt, lastWrittenAt, nowMs }: Traces): number {
  const { spec, started, outcome, endsWithOwn } = facts;
  const own = endsWithOwn || (spec ?? started ?? outcome) === undefined ? modifiedAt : null;
  const traces = [spec?.createdAt, started?.at, outcome?.lastSeenAt, lastWrittenAt, own];
  const known = traces.filter((at) => typeof at === 'number' && at <= nowMs) as number[];
  return Math.round(known.length === 0 ? Math.min(modifiedAt, nowMs) : Math.max(...known));
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
