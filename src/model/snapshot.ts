import { decide } from './decide.ts';
import { type Facts, shimOf } from './fold.ts';
import type { HeldLimit } from './held-limits.ts';
import { elapsedMs, endedAt, isSilent, startedAt } from './times.ts';
import type { Leftover, Liveness, TaskStatus } from './words.ts';

/** What is known of a task's output. */
export interface OutputSummary {
  /** The file that the command writes to. */
  readonly path: string;
  /** The file for stderr, when it is kept apart. */
  readonly stderrPath: string | null;
  /** Bytes written so far, both streams together. */
  readonly bytes: number;
  /** When something was written last, to either stream, by the time of the files; `null`: nothing yet. */
  readonly lastWrittenAt: number | null;
  /** The end of stdout (with stderr, unless kept apart), cut at a character. */
  readonly preview: string;
  /** Whether there is more than the preview shows. */
  readonly truncated: boolean;
}

/** A task at one moment: pure data, the same as one line of `--json`. Times are epoch milliseconds. */
export interface TaskSnapshot {
  readonly taskId: string;
  readonly sessionId: string;
  readonly name: string | null;
  readonly command: string;
  readonly cwd: string;
  readonly status: TaskStatus;
  /** Why, in one word, where the status alone does not say: see docs/glossary.md. */
  readonly statusReason: string | null;
  readonly exitCode: number | null;
  readonly killSignal: string | null;
  /** The shim, which leads the process group of the command. */
  readonly pid: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly timeoutMs: number | null;
  readonly cpuMs: number | null;
  readonly output: OutputSummary;
  readonly leftovers: readonly Leftover[];
  /** Whether its completion was acknowledged. */
  readonly delivered: boolean;
  /** The exit statuses of the last pipeline, where the shell can tell. */
  readonly pipeStatus: readonly number[] | null;
  /** What its processes may use at most, and what makes that hold. Empty when nothing was said. */
  readonly limits: readonly HeldLimit[];
  /**
   * What no process of the task can leave, so that a stop is certain to end them all: a cgroup. `null`: they are found by
   * what they carry, and one that has shed all of that is not.
   */
  readonly containment: 'cgroup' | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a snapshot needs beside the facts. */
export interface Observation {
  readonly taskId: string;
  readonly sessionId: string;
  readonly alive: Liveness;
  /** The process is stopped by a signal. */
  readonly suspended: boolean;
  /** Known to the spawner before the shim has said so. */
  readonly pid: number | null;
  readonly nowMs: number;
  /** The clock since boot, in milliseconds, where it is that of the task too: it is not set, so it tells how long. */
  readonly uptimeMs?: number | null;
  /** When the log was last written. */
  readonly modifiedAt: number;
  readonly output: OutputSummary;
}

/** The snapshot of a task, from its facts and what was observed of it just now. */
export function snapshotOf(facts: Facts, seen: Observation): TaskSnapshot {
  const { spec } = facts;
  const decision = decide(facts, seen.alive);
  const begin = decision.state === 'ended' ? decision.outcome.startedAt : beginOf(facts);
  const end = decision.state === 'live' ? null : endOf(facts, seen);
  return {
    taskId: seen.taskId,
    sessionId: seen.sessionId,
    name: spec?.name ?? null,
    command: spec?.command ?? '',
    cwd: spec?.cwd ?? '',
    ...fate(facts, seen),
    pid: shimOf(facts)?.pid ?? seen.pid,
    createdAt: spec?.createdAt ?? Math.round(seen.modifiedAt),
    startedAt: begin,
    endedAt: end,
    durationMs: begin === null ? null : end === null ? ranMs(facts, seen) : Math.max(0, end - begin),
    timeoutMs: spec?.timeoutMs ?? null,
    cpuMs: facts.exit?.cpuMs ?? null,
    output: seen.output,
    leftovers: decision.state === 'ended' ? (facts.stopped?.survivors ?? decision.outcome.leftovers) : [],
    delivered: facts.delivered !== undefined && decision.state === 'ended',
    pipeStatus: facts.pipe?.statuses ?? null,
    limits: spec?.limits ?? [],
    containment: spec?.cgroup === undefined ? null : 'cgroup',
    labels: spec?.labels ?? {},
  };
}

type Fate = Pick<TaskSnapshot, 'status' | 'statusReason' | 'exitCode' | 'killSignal'>;

function fate(facts: Facts, seen: Observation): Fate {
  const decision = decide(facts, seen.alive);
  switch (decision.state) {
    case 'live': {
      const away = decision.elsewhere ? 'elsewhere' : null;
      // Whoever waits for his turn has suspended himself.
      const paused = seen.suspended && !waitsForTurn(facts) ? 'suspended' : null;
      const quiet = decision.status === 'running' && isQuiet(facts, seen) ? 'silent' : null;
      return {
        status: decision.status,
        statusReason: away ?? paused ?? quiet,
        exitCode: null,
        killSignal: null,
      };
    }
    case 'settle': {
      const { status, reason, exitCode, killSignal } = decision.verdict;
      return { status, statusReason: reason, exitCode, killSignal };
    }
    case 'ended': {
      const { status, reason, exitCode, killSignal } = decision.outcome;
      return { status, statusReason: reason, exitCode, killSignal };
    }
  }
}

function waitsForTurn({ spec, started }: Facts): boolean {
  return spec?.queue !== undefined && started === undefined;
}

function isQuiet(facts: Facts, { output: { lastWrittenAt }, nowMs }: Observation): boolean {
  return isSilent({ startedAt: beginOf(facts), lastWrittenAt, nowMs });
}

/** How long a live task has run until now. */
function ranMs({ spec, started }: Facts, { nowMs, uptimeMs = null }: Observation): number | null {
  if (spec === undefined || started === undefined) return null;
  return Math.round(elapsedMs(spec, started, { epochMs: nowMs, uptimeMs }));
}

function beginOf({ spec, started }: Facts): number | null {
  return spec === undefined || started === undefined ? null : startedAt(spec, started);
}

/** When the task ended: as recorded, else by the exit marker, else when its log was last written. */
export function endOf(facts: Facts, seen: { modifiedAt: number }): number {
  if (facts.outcome !== undefined) return facts.outcome.endedAt;
  const { spec, exit } = facts;
  const told = spec === undefined || exit === undefined ? null : endedAt(spec, exit);
  return told ?? Math.round(seen.modifiedAt);
}
