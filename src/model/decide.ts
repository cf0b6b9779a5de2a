import { signalNumber } from '../util/signals.ts';
import type { ExitFact, OutcomeFact, StopFact } from './facts.ts';
import type { Facts } from './fold.ts';
import { limitMet } from './held-limits.ts';
import type { EndedStatus, Liveness, LiveStatus } from './words.ts';

/** How a task ended, before anybody has recorded it. */
export interface Verdict {
  readonly status: EndedStatus;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
}

/** What the facts and the liveness of the shim say about a task. */
export type Decision =
  /** It has not ended, or nobody here may judge it (`elsewhere`). */
  | {
      readonly state: 'live';
      readonly status: LiveStatus;
      readonly elsewhere: boolean;
    }
  /** It has ended and nobody has recorded how: append the outcome. */
  | { readonly state: 'settle'; readonly verdict: Verdict }
  /** It has ended and the record says how. */
  | { readonly state: 'ended'; readonly outcome: OutcomeFact; readonly delivered: boolean };

/** The exit code of a task that ran out of time, as `timeout(1)` has it. */
const timedOutExitCode = 124;

/**
 * The status of a task: a pure and total function of its facts and of whether its shim lives.
 *
 * What the shim has proven ends a task although the shim lives on, for what is left of it. Without that nothing has
 * ended while the shim lives, whatever the log says. When it is gone, a recorded outcome stands; else the task is judged
 * by what the shim saw, and else it is `lost`. `unknown` (a task of another machine) is never judged.
 */
export function decide(facts: Facts, alive: Liveness): Decision {
  const isOver = hasEnded(facts);
  if (facts.outcome !== undefined && (alive !== 'yes' || isOver)) {
    return { state: 'ended', outcome: facts.outcome, delivered: facts.delivered !== undefined };
  }
  if (alive === 'unknown') return { state: 'live', status: liveStatus(facts), elsewhere: true };
  if (alive === 'yes' && !isOver) return { state: 'live', status: liveStatus(facts), elsewhere: false };
  return { state: 'settle', verdict: judge(facts) };
}

/** Whether the facts alone say that the task has ended, or will never start. */
export function hasEnded({ spec, exit, left, gone, isForbidden }: Facts): boolean {
  if (isForbidden) return true;
  // A shim without secrets (Windows) proves nothing.
  if (spec?.seal === undefined) return false;
  return (exit !== undefined && !exit.pending) || left?.proof !== undefined || gone !== undefined;
}

function liveStatus(facts: Facts): LiveStatus {
  if (facts.stop !== undefined) return 'killing';
  if (facts.started !== undefined) return 'running';
  return facts.spec?.queue !== undefined && facts.turn === undefined ? 'queued' : 'starting';
}

function judge(facts: Facts): Verdict {
  const { exit } = facts;
  const stop = facts.stopIsLate ? undefined : facts.stop;
  if (neverRan(facts)) return unstartedVerdict(stop, facts);
  const exitSignal = exit?.exitSignal ?? null;
  const code = exit === undefined ? null : codeOf(exit);
  if (stop !== undefined) return stoppedVerdict(stop, code, exitSignal);
  if (code !== null) return exitVerdict(code, exitSignal, facts);
  const reason = facts.count === 0 ? 'unreadable_record' : 'no_exit_marker';
  return { status: 'lost', reason, exitCode: null, exitSignal: null };
}

/** As shells have it: the code, or 128 and the number of the signal. */
function codeOf({ code, exitSignal }: ExitFact): number | null {
  if (code !== null || exitSignal === null) return code;
  const number = signalNumber(exitSignal);
  return number === null ? null : 128 + number;
}

/**
 * The shim did not come to `started`, without which no command runs (it was killed, could not start anything, or could
 * not append), or it read that the command must not run. A log without a spec is damaged, and what else is missing there
 * says nothing.
 */
function neverRan({ spec, waiting, started, exit, isForbidden }: Facts): boolean {
  if (isForbidden || exit?.ran === false) return true;
  return (spec ?? waiting) !== undefined && started === undefined && exit === undefined;
}

/** What the shim ended with is no command's exit code. The kernel may have killed what was to become the command. */
function unstartedVerdict(stop: StopFact | undefined, { oom }: Facts): Verdict {
  if (stop === undefined || stop.cause === 'dependency_failed') {
    const aborted = (oom?.kills ?? 0) > 0 ? 'memory_limit' : 'spawn_aborted';
    return { status: 'failed', reason: stop?.cause ?? aborted, exitCode: null, exitSignal: null };
  }
  return { ...stoppedVerdict(stop, null, null), exitCode: null };
}

function stoppedVerdict(stop: StopFact, code: number | null, exitSignal: string | null): Verdict {
  if (stop.cause === 'timeout') {
    return { status: 'timed_out', reason: 'timeout', exitCode: timedOutExitCode, exitSignal };
  }
  return { status: 'killed', reason: stop.cause, exitCode: code, exitSignal };
}

function exitVerdict(code: number, exitSignal: string | null, { spec, exit, oom }: Facts): Verdict {
  const end = { code, cpuMs: exit?.cpuMs ?? null, oomKills: oom?.kills ?? 0 };
  const hidden = code === 0 && exit?.pipeStatus?.some(isFailure) === true;
  return {
    status: code === 0 ? 'completed' : 'failed',
    reason:
      limitMet(spec?.limits ?? [], end) ??
      (exitSignal !== null ? 'signal' : hidden ? 'hidden_failure' : null),
    exitCode: code,
    exitSignal,
  };
}

/** 141 is SIGPIPE in a shell's terms: the reader had enough (`yes | head`), which is how pipes work. */
function isFailure(status: number): boolean {
  return status !== 0 && status !== 141;
}
