import { type Decision, decide } from './decide.ts';
import type { OutcomeFact } from './facts.ts';
import { type Facts, shimOf } from './fold.ts';
import type { HeldLimit } from './held-limits.ts';
import { isSilent, ranMs } from './times.ts';
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
  /** The command, which leads a process group of its own; `null` before it runs. */
  readonly pid: number | null;
  /** The shim, parent of the command. */
  readonly shimPid: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly timeoutMs: number | null;
  /** CPU time of the command and of the children that it waited for, once it has ended. */
  readonly cpuMs: number | null;
  /** The most memory that one of these processes had at a time, once it has ended. */
  readonly peakBytes: number | null;
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
  readonly nowMs: number;
  /** Now, by the clock that nobody sets; absent: not known. */
  readonly monoMs?: number;
  /** When the log was last written. */
  readonly modifiedAt: number;
  readonly output: OutputSummary;
}

/** The snapshot of a task, from its facts and what was observed of it just now. */
export function snapshotOf(facts: Facts, seen: Observation): TaskSnapshot {
  const { spec } = facts;
  const decision = decide(facts, seen.alive);
  // One that was forbidden to run may have said that it starts before it read that.
  const started = facts.isForbidden ? undefined : facts.started;
  const begin = decision.state === 'ended' ? decision.outcome.startedAt : (started?.at ?? null);
  const end = decision.state === 'live' ? null : endOf(facts, seen);
  return {
    taskId: seen.taskId,
    sessionId: seen.sessionId,
    name: spec?.name ?? null,
    command: spec?.command ?? '',
    cwd: spec?.cwd ?? '',
    ...fate(facts, seen),
    pid: started?.pid ?? null,
    shimPid: (facts.isForbidden ? facts.waiting : shimOf(facts))?.pid ?? null,
    createdAt: spec?.createdAt ?? Math.round(seen.modifiedAt),
    startedAt: begin,
    endedAt: end,
    durationMs:
      begin === null ? null : (measuredMs(facts, decision, seen) ?? Math.max(0, (end ?? seen.nowMs) - begin)),
    timeoutMs: spec?.timeoutMs ?? null,
    cpuMs: facts.exit?.cpuMs ?? null,
    peakBytes: facts.exit?.peakBytes ?? null,
    output: seen.output,
    leftovers: decision.state === 'ended' ? leftoversOf(facts, decision.outcome) : [],
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
      const paused = seen.suspended ? 'suspended' : null;
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

function isQuiet(facts: Facts, { output: { lastWrittenAt }, nowMs }: Observation): boolean {
  return isSilent({ startedAt: facts.started?.at ?? null, lastWrittenAt, nowMs });
}

/** How long the command ran, or has run, by a clock that nobody sets; `null`: nothing tells. */
function measuredMs({ started, exit }: Facts, decision: Decision, { monoMs }: Observation): number | null {
  if (started === undefined) return null;
  if (exit !== undefined) return ranMs(started, exit);
  // The clock of another machine or container says nothing of this one's.
  const isHere = decision.state === 'live' && !decision.elsewhere;
  return isHere && monoMs !== undefined ? ranMs(started, { monoMs }) : null;
}

/** What was alive after the end, as far as it has not gone since. */
function leftoversOf({ gone, stopped }: Facts, outcome: OutcomeFact): readonly Leftover[] {
  return gone === undefined ? (stopped?.survivors ?? outcome.leftovers) : [];
}

/** When the task ended: as recorded, else when its command ended, else when its log was last written. */
export function endOf(facts: Facts, seen: { modifiedAt: number }): number {
  if (facts.outcome !== undefined) return facts.outcome.endedAt;
  return Math.round(facts.exit?.at ?? seen.modifiedAt);
}
