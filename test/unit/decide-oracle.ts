import type { Fact, OutcomeFact, StopFact } from '../../src/model/facts.ts';
import type { Liveness } from '../../src/model/words.ts';
import { proof, sealedSpec } from './sample-facts.ts';

/** What must come out, in the words of the design and not in those of the code. */
export type Expected =
  | { readonly state: 'live'; readonly status: string; readonly elsewhere: boolean }
  | { readonly state: 'settle'; readonly verdict: Verdict }
  | { readonly state: 'ended'; readonly outcome: string; readonly delivered: boolean };

interface Verdict {
  readonly status: string;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly killSignal: string | null;
}

/** What a reader of the whole log finds, by position: nothing here goes through the facts one by one. */
interface Reading {
  readonly alive: Liveness;
  readonly facts: readonly Fact[];
  readonly hasStarted: boolean;
  /** It was put into the queue, and nobody has given it its turn. */
  readonly isQueued: boolean;
  /** Its shim was started, or waited for its turn, and nothing shows that the command ran. */
  readonly neverRan: boolean;
  /** The first outcome behind whatever shows that the shim was alive. */
  readonly outcome: OutcomeFact | undefined;
  readonly isDelivered: boolean;
  /** The last exit marker ahead of the outcome. */
  readonly exitCode: number | undefined;
  /** The first request ahead of the outcome, whatever the markers say. */
  readonly asked: StopFact | undefined;
  /** The first request, if it came ahead of the marker that counts. */
  readonly stopped: StopFact | undefined;
  /** A segment of the last pipeline failed, other than by a reader that had enough (SIGPIPE, 141). */
  readonly pipeFailed: boolean;
  readonly reapedCode: number | null;
  readonly reapedSignal: string | null;
}

/** Section 2 of the design as a table: the first row whose condition holds says what comes out. */
const rules: readonly [rule: string, when: (log: Reading) => boolean, then: (log: Reading) => Expected][] = [
  // While the shim lives nothing has ended.
  ['asked to stop', (log) => log.alive === 'yes' && log.asked !== undefined, () => live('killing')],
  ['its shim has started', (log) => log.alive === 'yes' && log.hasStarted, () => live('running')],
  ['queued', (log) => log.alive === 'yes' && log.isQueued, () => live('queued')],
  ['about to start', (log) => log.alive === 'yes', () => live('starting')],
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
  // Dead, and nobody has recorded how. What never ran has no exit code, and no signal has ended it:
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
    (log) => settle('killed', log.stopped?.cause, log.exitCode ?? log.reapedCode, log),
  ],
  // Else what the shim saw:
  [
    'exit marker 0, but a part of the pipeline failed',
    (log) => log.exitCode === 0 && log.pipeFailed,
    (log) => settle('completed', 'hidden_failure', 0, log),
  ],
  ['exit marker 0', (log) => log.exitCode === 0, (log) => settle('completed', null, 0, log)],
  ['exit marker', (log) => log.exitCode !== undefined, (log) => settle('failed', null, log.exitCode, log)],
  // Else what its parent saw:
  ['the shim was killed', (log) => log.reapedSignal !== null, (log) => settle('failed', 'signal', null, log)],
  [
    'the shim exited with 0, but a part of the pipeline failed',
    (log) => log.reapedCode === 0 && log.pipeFailed,
    (log) => settle('completed', 'hidden_failure', 0, log),
  ],
  ['the shim exited with 0', (log) => log.reapedCode === 0, (log) => settle('completed', null, 0, log)],
  ['the shim exited', (log) => log.reapedCode !== null, (log) => settle('failed', null, log.reapedCode, log)],
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

/**
 * A shim starts once. Of one whose spec has a seal, the first exit marker with its proof is the last that it says, and
 * one without it is not its own. A spec behind what the shim said is not that of the shim.
 */
function believed(all: readonly Fact[]): readonly Fact[] {
  const isSealed =
    all.find(({ fact }) => ['spec', 'waiting', 'started', 'exit'].includes(fact)) === sealedSpec;
  const end = isSealed ? all.findIndex((fact) => fact.fact === 'exit' && fact.proof === proof) : -1;
  return all.filter(({ fact }, at) => {
    if (fact === 'exit') return !isSealed || at === end;
    if (fact !== 'started' && fact !== 'waiting') return true;
    return all.findIndex((other) => other.fact === fact) === at && (end === -1 || at < end);
  });
}

function read(all: readonly Fact[], alive: Liveness): Reading {
  const facts = believed(all);
  const aliveUntil = facts.findLastIndex(({ fact }) => ['waiting', 'started', 'exit'].includes(fact));
  const outcomeAt = facts.findIndex(({ fact }, at) => fact === 'outcome' && at > aliveUntil);
  const before = outcomeAt === -1 ? facts : facts.slice(0, outcomeAt);
  const exitAt = before.findLastIndex(({ fact }) => fact === 'exit');
  const outcome = facts[outcomeAt];
  const marker = before[exitAt];
  const reaped = facts.find((fact) => fact.fact === 'reaped');
  const pipe = before.findLast((fact) => fact.fact === 'pipe');
  return {
    alive,
    facts,
    hasStarted: facts.some(({ fact }) => fact === 'started'),
    isQueued:
      facts.find((fact) => fact.fact === 'spec')?.queue !== undefined &&
      !facts.some(({ fact }) => fact === 'turn'),
    neverRan:
      facts.some(({ fact }) => fact === 'spec' || fact === 'waiting') &&
      !facts.some(({ fact }) => fact === 'started') &&
      exitAt === -1,
    outcome: outcome?.fact === 'outcome' ? outcome : undefined,
    isDelivered: outcomeAt !== -1 && facts.slice(outcomeAt).some(({ fact }) => fact === 'delivered'),
    exitCode: marker?.fact === 'exit' ? marker.code : undefined,
    asked: before.find((fact) => fact.fact === 'stop'),
    stopped: before.slice(0, exitAt === -1 ? undefined : exitAt).find((fact) => fact.fact === 'stop'),
    pipeFailed: (pipe?.statuses ?? []).some((status) => status !== 0 && status !== 141),
    reapedCode: reaped?.code ?? null,
    reapedSignal: marker === undefined ? (reaped?.killSignal ?? null) : null,
  };
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
  exitCode: number | null | undefined,
  log: Reading | null,
): Expected {
  const killSignal = log?.reapedSignal ?? null;
  return {
    state: 'settle',
    verdict: { status, reason: reason ?? null, exitCode: exitCode ?? null, killSignal },
  };
}
