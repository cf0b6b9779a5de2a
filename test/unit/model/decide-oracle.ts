import type { ExitFact, Fact, OutcomeFact, StopFact } from '../../../src/model/facts.ts';
import type { Liveness } from '../../../src/model/words.ts';
import { exitProof, goneProof } from './sample-facts.ts';

/** What must come out, in the words of the design and not in those of the code. */
export type Expected =
  | { readonly state: 'live'; readonly status: string; readonly elsewhere: boolean }
  | { readonly state: 'settle'; readonly verdict: Verdict }
  | { readonly state: 'ended'; readonly outcome: string; readonly delivered: boolean };

interface Verdict {
  readonly status: string;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
}

/** What a reader of the whole log finds, by position: nothing here goes through the facts one by one. */
interface Reading {
  readonly alive: Liveness;
  readonly facts: readonly Fact[];
  readonly hasStarted: boolean;
  /** It was put into the queue, and nobody has given it its turn. */
  readonly isQueued: boolean;
  /** The record alone says that it has ended, or that it will never start. */
  readonly isOver: boolean;
  /** Its shim was started, or waited for its turn, and nothing shows that the command ran; or something shows that not. */
  readonly neverRan: boolean;
  /** The first outcome after whatever shows that the task had not ended. */
  readonly outcome: OutcomeFact | undefined;
  readonly isDelivered: boolean;
  /** The end of the command as shells tell it: a code, or 128 and the number of the signal. */
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  /** The first request ahead of the outcome, whatever the shim says of the end. */
  readonly asked: StopFact | undefined;
  /** The first request, if it came ahead of the exit that counts. */
  readonly stopped: StopFact | undefined;
  /** A segment of the last pipeline failed, other than by a reader that had enough (SIGPIPE, 141). */
  readonly pipeFailed: boolean;
}

/** Section 2 of the design as a table: the first row whose condition holds says what comes out. */
const rules: readonly [rule: string, when: (log: Reading) => boolean, then: (log: Reading) => Expected][] = [
  // While the shim lives nothing has ended that it has not proven, or been forbidden to start.
  ['asked to stop', (log) => isHere(log) && log.asked !== undefined, () => live('killing')],
  ['its shim has started', (log) => isHere(log) && log.hasStarted, () => live('running')],
  ['queued', (log) => isHere(log) && log.isQueued, () => live('queued')],
  ['about to start', (log) => isHere(log), () => live('starting')],
  // A recorded outcome stands, also of another machine's task.
  ['recorded', (log) => log.outcome !== undefined, ({ outcome, isDelivered }) => ended(outcome, isDelivered)],
  // Nobody here may judge what he cannot see.
  [
    'elsewhere, asked to stop',
    (log) => log.alive === 'unknown' && log.asked !== undefined,
    () => live('killing', true),
  ],
  ['elsewhere, started', (log) => log.alive === 'unknown' && log.hasStarted, () => live('running', true)],
  ['elsewhere, queued', (log) => log.alive === 'unknown' && log.isQueued, () => live('queued', true)],
  ['elsewhere', (log) => log.alive === 'unknown', () => live('starting', true)],
  // Over, and nobody has recorded how. What never ran has no exit code, and no signal has ended it:
  [
    'stopped before it ran',
    (log) => log.neverRan && log.stopped !== undefined,
    ({ stopped }) =>
      settle(stopped?.cause === 'timeout' ? 'timed_out' : 'killed', stopped?.cause, null, null),
  ],
  ['spawn aborted', (log) => log.neverRan, () => settle('failed', 'spawn_aborted', null, null)],
  // Somebody wanted it to end:
  ['timed out', (log) => log.stopped?.cause === 'timeout', (log) => settle('timed_out', 'timeout', 124, log)],
  [
    'killed',
    (log) => log.stopped !== undefined,
    (log) => settle('killed', log.stopped?.cause, log.exitCode, log),
  ],
  // Else what the shim saw:
  ['a signal', (log) => log.exitSignal !== null, (log) => settle('failed', 'signal', log.exitCode, log)],
  [
    'exit code 0, but a part of the pipeline failed',
    (log) => log.exitCode === 0 && log.pipeFailed,
    (log) => settle('completed', 'hidden_failure', 0, log),
  ],
  ['exit code 0', (log) => log.exitCode === 0, (log) => settle('completed', null, 0, log)],
  ['exit code', (log) => log.exitCode !== null, (log) => settle('failed', null, log.exitCode, log)],
  // Else nothing can say how it ended.
  ['an empty record', (log) => log.facts.length === 0, () => settle('lost', 'unreadable_record', null, null)],
  ['lost', () => true, () => settle('lost', 'no_exit_marker', null, null)],
];

/** The names of all rules, so that a test can tell whether each was met. */
export const ruleNames = rules.map(([rule]) => rule);

/** The rule that applies to a log, and what it says. */
export function expected(facts: readonly Fact[], alive: Liveness): { rule: string; result: Expected } {
  const log = read(facts, alive);
  for (const [rule, when, then] of rules) if (when(log)) return { rule, result: then(log) };
  throw new Error('the last rule always holds');
}

function isHere({ alive, isOver }: Reading): boolean {
  return alive === 'yes' && !isOver;
}

/** A spec that is not the first word about the task is not that of its shim, and its seal is none. */
function hasSeal(all: readonly Fact[]): boolean {
  const first = all.find(({ fact }) => ['spec', 'waiting', 'started', 'exit'].includes(fact));
  return first?.fact === 'spec' && first.seal !== undefined;
}

/**
 * A shim starts once. Of one whose spec has a seal, the first exit with the first secret counts and no other; nothing
 * starts after it; what ends a task for good shows the second secret; and who is left it says after the exit. Without
 * a seal nobody proves anything, and an exit is copied by one or by two, who give it the same time.
 */
function believed(all: readonly Fact[], isSealed: boolean): readonly Fact[] {
  const end = isSealed ? all.findIndex((fact) => fact.fact === 'exit' && fact.proof === exitProof) : -1;
  return all.filter((fact, at) => {
    switch (fact.fact) {
      case 'exit': {
        if (isSealed) return at === end;
        const isCopyOf = (other: Fact) => other.fact === 'exit' && other.copied === fact.copied;
        return fact.copied === undefined || all.findIndex(isCopyOf) === at;
      }
      case 'left':
        return isSealed && (fact.proof === undefined ? end !== -1 && at > end : fact.proof === goneProof);
      case 'gone':
        return isSealed && fact.proof === goneProof;
      case 'started':
      case 'waiting':
        return all.findIndex((other) => other.fact === fact.fact) === at && (end === -1 || at < end);
      default:
        return true;
    }
  });
}

function showsSecondSecret(fact: Fact): boolean {
  return fact.fact === 'gone' || (fact.fact === 'left' && fact.proof !== undefined);
}

/** The place up to which an outcome came too early. */
function tooEarlyUntil(facts: readonly Fact[], isSealed: boolean): number {
  if (!isSealed) return facts.findLastIndex(({ fact }) => ['waiting', 'started', 'exit'].includes(fact));
  const exitAt = facts.findIndex((fact) => fact.fact === 'exit' && fact.ran);
  const forGoodAt = facts.findIndex(showsSecondSecret);
  const exit = facts[exitAt];
  // The task had not ended before the last of its processes, or before its command.
  if (exit?.fact === 'exit' && !exit.pending && (forGoodAt === -1 || exitAt < forGoodAt)) return exitAt;
  return forGoodAt === -1 ? exitAt : forGoodAt;
}

function read(all: readonly Fact[], alive: Liveness): Reading {
  const isSealed = hasSeal(all);
  const facts = believed(all, isSealed);
  const early = tooEarlyUntil(facts, isSealed);
  const startAt = facts.findIndex(({ fact }) => fact === 'started');
  // Who does not know of the start that is there has given it up too late, unless the task was not to start at all.
  const isTooLate = (fact: Fact, at: number): boolean => {
    if (!isSealed || fact.fact !== 'outcome' || fact.startedAt !== null) return false;
    if (startAt === -1 || at < startAt) return false;
    const isRefused = facts.slice(0, startAt).some(({ fact: kind }) => kind === 'stop');
    return !isRefused || facts.slice(0, at).some((other) => other.fact === 'exit' && other.ran);
  };
  const outcomeAt = facts.findIndex(
    (fact, at) => fact.fact === 'outcome' && at > early && !isTooLate(fact, at),
  );
  const before = outcomeAt === -1 ? facts : facts.slice(0, outcomeAt);
  const exitAt = before.findLastIndex(({ fact }) => fact === 'exit');
  const [outcome, last] = [facts[outcomeAt], before[exitAt]];
  const exit = last?.fact === 'exit' ? last : undefined;
  const startedAt = facts.findIndex(({ fact }) => fact === 'started');
  const ahead = startedAt === -1 ? facts : facts.slice(0, startedAt);
  // The shim reads the log before it starts the command. One that ran was not forbidden to.
  const isForbidden =
    isSealed &&
    exit?.ran !== true &&
    ahead.some(({ fact }, at) => fact === 'stop' || (outcomeAt !== -1 && at === outcomeAt));
  return {
    alive,
    facts: all,
    hasStarted: startedAt !== -1,
    isQueued:
      facts.find((fact) => fact.fact === 'spec')?.queue !== undefined &&
      !facts.some(({ fact }) => fact === 'turn'),
    isOver:
      isForbidden ||
      (isSealed && ((exit !== undefined && !exit.pending) || facts.some((fact) => showsSecondSecret(fact)))),
    neverRan:
      isForbidden ||
      exit?.ran === false ||
      (facts.some(({ fact }) => fact === 'spec' || fact === 'waiting') &&
        startedAt === -1 &&
        exit === undefined),
    outcome: outcome?.fact === 'outcome' ? outcome : undefined,
    isDelivered: outcomeAt !== -1 && facts.slice(outcomeAt).some(({ fact }) => fact === 'delivered'),
    exitCode: asShellsTell(exit),
    exitSignal: exit?.exitSignal ?? null,
    asked: before.find((fact) => fact.fact === 'stop'),
    stopped: before.slice(0, exitAt === -1 ? undefined : exitAt).find((fact) => fact.fact === 'stop'),
    pipeFailed: (exit?.pipeStatus ?? []).some((status) => status !== 0 && status !== 141),
  };
}

function asShellsTell(exit: ExitFact | undefined): number | null {
  if (exit === undefined || exit.code !== null) return exit?.code ?? null;
  return { SIGTERM: 143, SIGKILL: 137, SIGSEGV: 139, SIG34: 162 }[exit.exitSignal ?? ''] ?? null;
}

function live(status: string, elsewhere = false): Expected {
  return { state: 'live', status, elsewhere };
}

function ended(outcome: OutcomeFact | undefined, delivered: boolean): Expected {
  return { state: 'ended', outcome: outcome?.id ?? '', delivered };
}

function settle(
  status: string,
  reason: string | null | undefined,
  exitCode: number | null,
  log: Reading | null,
): Expected {
  const exitSignal = log?.exitSignal ?? null;
  return { state: 'settle', verdict: { status, reason: reason ?? null, exitCode, exitSignal } };
}
