import { errorName } from '../util/errno.ts';
import { type Decision, decide, type Verdict } from './decide.ts';
import { type Facts, shimOf } from './fold.ts';
import type { HeldLimit } from './held-limits.ts';
import { isSilent, newestTrace, ranMs, seenEnd } from './times.ts';
import {
  type EndedStatus,
  isEnded,
  type Leftover,
  type Liveness,
  type LiveStatus,
  reasonOf,
  type StatusReason,
  type StdinWay,
  type TaskStatus,
  type TerminalSize,
} from './words.ts';

/** What is known of a task's output. */
export interface OutputSummary {
  /** The file that the command writes to. */
  readonly path: string;
  /** The file for stderr, when it is kept apart. */
  readonly stderrPath: string | null;
  /** Bytes written so far, both streams together. */
  readonly bytes: number;
  /**
   * Bytes that were written and are gone, as far as somebody has seen it: the command, or a program that it ran, has
   * opened its output anew (`> /dev/stderr`, `sort -o /dev/stdout`). `null`: some may be gone, and nobody has seen how
   * many. 0: nothing was noticed.
   */
  readonly erasedBytes: number | null;
  /** With `output: 'pipe'`: bytes that the disk has not taken. */
  readonly droppedBytes: number;
  /** When something was written last, to either stream, by the time of the files; `null`: nothing yet. */
  readonly lastWrittenAt: number | null;
  /** The end of stdout (with stderr, unless kept apart), from the beginning of a line; of a long line, of a character. */
  readonly preview: string;
  /** Whether there is more than the preview shows. */
  readonly truncated: boolean;
}

/**
 * A task at one moment: pure data, the same as one line of `--json`. Times are epoch milliseconds. A union by `status`, so
 * that a `switch` over it tells what else is known.
 */
export type TaskSnapshot = LiveSnapshot | EndedSnapshot;

/** A task that has not ended. */
export type LiveSnapshot = { readonly [Status in LiveStatus]: SnapshotWith<Status, LiveFate> }[LiveStatus];

/** A task that has ended. */
export type EndedSnapshot = {
  readonly [Status in EndedStatus]: SnapshotWith<Status, EndedFates[Status]>;
}[EndedStatus];

type SnapshotWith<Status extends TaskStatus, Fate> = TaskFields &
  Fate & {
    readonly status: Status;
    /** Why, in one word, where the status alone does not say: see docs/glossary.md. */
    readonly statusReason: StatusReason<Status> | null;
  };

/** Whether a snapshot is of a task that has ended. */
export function isOver(snapshot: TaskSnapshot): snapshot is EndedSnapshot {
  return isEnded(snapshot.status);
}

/** What can be known of how a task ended. */
interface AnyFate {
  readonly exitCode: number | null;
  /** The signal that ended the command; `null`: none did, or it is not known. */
  readonly exitSignal: string | null;
}

interface LiveFate extends AnyFate {
  readonly exitCode: null;
  readonly exitSignal: null;
  readonly endedAt: null;
  readonly lastSeenAt: null;
}

interface EndedFates {
  readonly completed: AnyFate & { readonly exitCode: 0; readonly exitSignal: null };
  readonly failed: AnyFate;
  readonly killed: AnyFate;
  readonly timed_out: AnyFate;
  readonly lost: AnyFate & { readonly exitCode: null; readonly exitSignal: null };
}

/** What a snapshot has whatever the status is. */
interface TaskFields {
  readonly taskId: string;
  readonly sessionId: string;
  readonly name: string | null;
  readonly command: string;
  readonly cwd: string;
  /** The system's error, such as `ENOSPC`, that kept the shim from running the command; `null`: none did. */
  readonly spawnError: string | null;
  /** The command, which leads a process group of its own; `null` before it runs. */
  readonly pid: number | null;
  /** The shim, parent of the command. */
  readonly shimPid: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  /** `null` of one that has not ended, and of one whose end nobody has seen: then `lastSeenAt` says what is known. */
  readonly endedAt: number | null;
  /** Of one whose end nobody has seen: its newest trace, such as its last output. */
  readonly lastSeenAt: number | null;
  /** How long it ran, or has run; `null` where its end is not known. */
  readonly durationMs: number | null;
  readonly timeoutMs: number | null;
  /** CPU time of the command and of the children that it waited for, once it has ended. */
  readonly cpuMs: number | null;
  /** The most memory that one of these processes had at a time, once it has ended. */
  readonly peakBytes: number | null;
  /** What its command reads. `silent`: nothing, since the pipe that it was handed brought nothing. */
  readonly stdin: StdinWay | 'silent';
  /** The size that its terminal had at its start; `null`: it has none. */
  readonly tty: TerminalSize | null;
  /** The processes by which people may type into its terminal just now. */
  readonly attached: readonly number[];
  readonly output: OutputSummary;
  readonly leftovers: readonly Leftover[];
  /** Whether its completion was acknowledged. */
  readonly delivered: boolean;
  /** The exit status of each segment of the pipeline that the command ended with, where bash or zsh has told it. */
  readonly pipeStatus: readonly number[] | null;
  /** What its processes may use at most, and what makes that hold. Empty when nothing was said. */
  readonly limits: readonly HeldLimit[];
  /**
   * What no process of the task can leave, so that a stop is certain to end them all: a cgroup. `null`: they are found by
   * what they carry, and one that has shed all of that is not.
   */
  readonly containment: 'cgroup' | null;
  /** Its record is too large to be read whole, so somebody has damaged it: some of what is said here may be wrong. */
  readonly damaged: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** The task that had to complete before this one starts; `null`: none. */
  readonly after: string | null;
  /** What the task is for: its session has no other task with this key. `null`: it was spawned without one. */
  readonly key: string | null;
  /** The task whose place it has: the one that was restarted, or that had its name and was stopped for it. `null`: none. */
  readonly replaces: string | null;
}

/** What a snapshot needs beside the facts. */
export interface Observation {
  readonly taskId: string;
  readonly sessionId: string;
  readonly alive: Liveness;
  /** The process is stopped by a signal. */
  readonly suspended: boolean;
  /** The record is a copy, made while the task ran: what it does not say is not known here. */
  readonly isCopy?: boolean;
  readonly nowMs: number;
  /** Now, by the clock that nobody sets; absent: not known. */
  readonly monoMs?: number;
  /** When the log was last written. */
  readonly modifiedAt: number;
  /** The log was read in part; absent: all of it was. */
  readonly isPartial?: boolean;
  readonly output: OutputSummary;
}

/** The snapshot of a task, from its facts and what was observed of it just now. */
export function snapshotOf(facts: Facts, seen: Observation): TaskSnapshot {
  const { spec } = facts;
  const decision = decide(facts, seen.alive);
  // One that was forbidden to run may have said that it starts before it read that.
  const started = facts.isForbidden ? undefined : facts.started;
  const begin = decision.state === 'ended' ? decision.outcome.startedAt : (started?.at ?? null);
  const isOver = decision.state !== 'live';
  const end = isOver ? seenEnd(facts) : null;
  const { lastWrittenAt } = seen.output;
  const { status, statusReason, exitCode, exitSignal } = fate(facts, decision, seen);
  // Without a spread in between, V8 makes the object in one step: a tenth of the time.
  const snapshot: TaskFields & Fate = {
    taskId: seen.taskId,
    sessionId: seen.sessionId,
    name: spec?.name ?? null,
    command: spec?.command ?? '',
    cwd: spec?.cwd ?? '',
    status,
    statusReason,
    exitCode,
    exitSignal,
    spawnError: errorName(facts.exit?.errno ?? 0),
    pid: started?.pid ?? null,
    shimPid: (facts.isForbidden ? facts.waiting : shimOf(facts))?.pid ?? null,
    createdAt: spec?.createdAt ?? Math.round(seen.modifiedAt),
    startedAt: begin,
    endedAt: end,
    lastSeenAt: isOver && end === null ? newestTrace(facts, { ...seen, lastWrittenAt }) : null,
    durationMs:
      begin === null ? null : (measuredMs(facts, decision, seen) ?? since(begin, isOver ? end : seen.nowMs)),
    timeoutMs: spec?.timeoutMs ?? null,
    cpuMs: facts.exit?.cpuMs ?? null,
    peakBytes: facts.exit?.peakBytes ?? null,
    stdin: facts.started?.stdin ?? spec?.stdin ?? 'none',
    tty: spec?.tty ?? null,
    attached: isOver || seen.alive !== 'yes' ? [] : facts.attached,
    output: seen.output,
    leftovers: leftoversOf(facts, decision),
    delivered: facts.delivered !== undefined && decision.state === 'ended',
    pipeStatus: facts.exit?.pipeStatus ?? null,
    limits: spec?.limits ?? [],
    containment: spec?.cgroup === undefined ? null : 'cgroup',
    damaged: seen.isPartial === true,
    labels: spec?.labels ?? {},
    after: spec?.after ?? null,
    key: spec?.key ?? null,
    // A cookie begins with the id of its task.
    replaces: spec?.replaces?.split('.')[0] ?? spec?.inPlaceOf ?? null,
  };
  return snapshot as TaskSnapshot;
}

function since(begin: number, end: number | null): number | null {
  return end === null ? null : Math.max(0, end - begin);
}

/** When an ended task ended, or else was seen last: for putting tasks in order, and for their age. */
export function overSince({ endedAt, lastSeenAt }: Pick<TaskSnapshot, 'endedAt' | 'lastSeenAt'>): number {
  return endedAt ?? lastSeenAt ?? 0;
}

/** File systems take the time of a write from a clock that ticks so slowly. */
const clockTickMs = 10;

/**
 * How long an ended task is known to have run, in words that follow its status: `after 6s`, or `last seen writing after 6s`
 * where nobody has seen the end. Empty for one that never ran.
 */
export function sayHowLong(snapshot: TaskSnapshot, say: (ms: number) => string): string {
  const { startedAt, lastSeenAt, durationMs, output } = snapshot;
  if (durationMs !== null) return `after ${say(durationMs)}`;
  if (startedAt === null || lastSeenAt === null) return '';
  const ms = Math.max(0, lastSeenAt - startedAt);
  if (lastSeenAt - (output.lastWrittenAt ?? 0) < clockTickMs) return `last seen writing after ${say(ms)}`;
  return ms === 0 ? 'not seen after its start' : `last seen after ${say(ms)}`;
}

/** The keys that say how a task is; in the types of a snapshot they depend on each other. */
interface Fate extends AnyFate {
  readonly status: TaskStatus;
  readonly statusReason: StatusReason | null;
}

function fate(facts: Facts, decision: Decision, seen: Observation): Fate {
  switch (decision.state) {
    case 'live': {
      const away = decision.elsewhere ? (seen.isCopy ? 'copied' : 'elsewhere') : null;
      const paused = seen.suspended ? 'suspended' : null;
      const quiet = decision.status === 'running' && isQuiet(facts, seen) ? 'silent' : null;
      const statusReason = away ?? paused ?? quiet;
      return { status: decision.status, statusReason, exitCode: null, exitSignal: null };
    }
    case 'settle':
      return ended(decision.verdict);
    case 'ended':
      return ended(decision.outcome);
  }
}

/** Anybody may have written an outcome: what contradicts its status is not repeated. */
function ended({ status, reason, exitCode, exitSignal }: Verdict): Fate {
  const isKnown = status !== 'completed' && status !== 'lost';
  return {
    status,
    statusReason: reasonOf(status, reason),
    exitCode: status === 'completed' ? 0 : isKnown ? exitCode : null,
    exitSignal: isKnown ? exitSignal : null,
  };
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

/** What was alive after the end, as far as it has not gone since. Before the end was settled the shim may have told it. */
function leftoversOf({ gone, stopped, left }: Facts, decision: Decision): readonly Leftover[] {
  if (decision.state === 'live' || gone !== undefined) return [];
  return decision.state === 'ended'
    ? (stopped?.survivors ?? decision.outcome.leftovers)
    : (left?.processes ?? []);
}
