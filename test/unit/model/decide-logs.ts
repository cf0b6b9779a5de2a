import assert from 'node:assert/strict';
import { decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import type { Liveness } from '../../../src/model/words.ts';
import { type Expected, expected } from './decide-oracle.ts';
import {
  delivered,
  exit,
  exitProof,
  gone,
  left,
  outcome,
  pending,
  proven,
  refused,
  sealedSpec,
  spec,
  started,
  stop,
} from './sample-facts.ts';

/** Each fact that matters where nothing is proven (Windows), in each variant that matters. */
export const onWindows: readonly (readonly Fact[])[] = [
  [spec()],
  [started()],
  [stop('kill'), stop('timeout'), stop('output_limit'), stop('shutdown')],
  [exit(0), exit(0, { pipeStatus: [1, 0] }), exit(7), exit(7, { copied: 1_000 })],
  [outcome()],
  [delivered()],
];

/** Each fact of a native shim that matters, in each variant that matters. */
export const native: readonly (readonly Fact[])[] = [
  [sealedSpec],
  [started()],
  [stop('kill'), stop('timeout')],
  [proven(7), proven('SIGKILL'), pending(0), refused, exit(0)],
  [left(), left('c0ffee'), left(exitProof)],
  [gone(), gone(exitProof)],
  [outcome()],
];

/** Compares what is decided with what the design says; the rules that apply, for each liveness. */
export function checkDecision(log: readonly Fact[]): string[] {
  const facts = foldFacts(log);
  const rules: string[] = [];
  for (const alive of ['yes', 'no', 'unknown'] satisfies Liveness[]) {
    const { rule, result } = expected(log, alive);
    rules.push(rule);
    const found = brief(decide(facts, alive));
    // Comparing texts first: a deep comparison of half a million results would take the longest by far.
    if (JSON.stringify(found) === JSON.stringify(result)) continue;
    assert.deepEqual(found, result, `${log.map(label).join(', ')}; alive: ${alive}; rule: ${rule}`);
  }
  return rules;
}

function brief(decision: ReturnType<typeof decide>): Expected {
  switch (decision.state) {
    case 'live':
      return { state: 'live', status: decision.status, elsewhere: decision.elsewhere };
    case 'settle': {
      const { status, reason, exitCode, exitSignal } = decision.verdict;
      return { state: 'settle', verdict: { status, reason, exitCode, exitSignal } };
    }
    case 'ended':
      return { state: 'ended', outcome: decision.outcome.id, delivered: decision.delivered };
  }
}

function label(fact: Fact): string {
  switch (fact.fact) {
    case 'stop':
      return `stop ${fact.cause}`;
    case 'exit': {
      const end = fact.ran ? (fact.code ?? fact.exitSignal) : 'refused';
      return `exit ${end}${fact.pending ? ' pending' : ''} ${fact.proof ?? fact.copied ?? 'without proof'}`;
    }
    case 'left':
    case 'gone':
      return `${fact.fact} ${fact.proof ?? 'without proof'}`;
    case 'spec':
      return fact.seal === undefined ? 'spec' : 'sealed spec';
    default:
      return fact.fact === 'outcome' ? fact.id : fact.fact;
  }
}

/** All ways to arrange one variant of each of some kinds. */
export function* arrangements(
  kinds: readonly (readonly Fact[])[],
  log: readonly Fact[],
): Generator<readonly Fact[]> {
  yield log;
  for (const [index, kind] of kinds.entries())
    for (const fact of kind) yield* arrangements(kinds.toSpliced(index, 1), [...log, fact]);
}

/** All sequences of at most so many facts. */
export function* sequences(alphabet: readonly Fact[], length: number): Generator<readonly Fact[]> {
  const none: readonly Fact[] = [];
  let longest = [none];
  for (let size = 0; size <= length; size += 1) {
    yield* longest;
    longest = size === length ? [] : longest.flatMap((log) => alphabet.map((fact) => [...log, fact]));
  }
}
