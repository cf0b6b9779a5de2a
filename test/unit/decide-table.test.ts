import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../src/model/decide.ts';
import type { Fact } from '../../src/model/facts.ts';
import { foldFacts } from '../../src/model/fold.ts';
import type { Liveness } from '../../src/model/words.ts';
import { type Expected, expected, ruleNames } from './decide-oracle.ts';
import { delivered, exit, outcome, pipe, reaped, spec, started, stop } from './sample-facts.ts';

/** Each fact that matters, in each variant that matters. */
const variants: readonly (readonly Fact[])[] = [
  [spec()],
  [started()],
  [stop('kill'), stop('timeout'), stop('output_limit'), stop('shutdown')],
  [exit(0), exit(7)],
  [reaped(0), reaped(9), reaped('SIGKILL')],
  [outcome()],
  [delivered()],
];

/** What decides alone: one of each, and a second one that differs. */
const core: readonly Fact[] = [
  spec(),
  started(),
  stop('kill'),
  stop('timeout', 'stop-2'),
  exit(0),
  exit(7),
  outcome(),
  outcome({ id: 'outcome-2' }),
  delivered(),
];

/** Everything that has a say. */
const all = [...core, reaped(0), reaped(9), reaped('SIGKILL'), pipe(0, 141), pipe(1, 0)];

test('every subset of the facts, in every order and variant, is decided as the design says', () => {
  let count = 0;
  for (const log of arrangements(variants, [])) {
    check(log);
    count += 1;
  }
  // 13,700 arrangements of up to seven kinds; the variants make more of each.
  assert.ok(count > 100_000, `only ${count} logs were tried`);
});

test('every sequence of up to five facts, repeated ones too, is decided as the design says', () => {
  for (const log of sequences(core, 5)) check(log);
});

test('so is every sequence of up to four that has what the parent saw and the pipeline as well', () => {
  const met = new Set<string>();
  for (const log of sequences(all, 4)) for (const rule of check(log)) met.add(rule);
  assert.deepEqual(
    ruleNames.filter((rule) => !met.has(rule)),
    [],
    'rules that no log came under',
  );
});

/** Compares; the rules that apply, for each liveness. */
function check(log: readonly Fact[]): string[] {
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
      const { status, reason, exitCode, killSignal } = decision.verdict;
      return { state: 'settle', verdict: { status, reason, exitCode, killSignal } };
    }
    case 'ended':
      return { state: 'ended', outcome: decision.outcome.id, delivered: decision.delivered };
  }
}

function label(fact: Fact): string {
  if (fact.fact === 'stop') return `stop ${fact.cause}`;
  if (fact.fact === 'exit') return `exit ${fact.code}`;
  return fact.fact === 'outcome' ? fact.id : fact.fact;
}

/** All ways to arrange one variant of each of some kinds. */
function* arrangements(
  kinds: readonly (readonly Fact[])[],
  log: readonly Fact[],
): Generator<readonly Fact[]> {
  yield log;
  for (const [index, kind] of kinds.entries())
    for (const fact of kind) yield* arrangements(kinds.toSpliced(index, 1), [...log, fact]);
}

/** All sequences of at most so many facts. */
function* sequences(alphabet: readonly Fact[], length: number): Generator<readonly Fact[]> {
  const none: readonly Fact[] = [];
  let longest = [none];
  for (let size = 0; size <= length; size += 1) {
    yield* longest;
    longest = size === length ? [] : longest.flatMap((log) => alphabet.map((fact) => [...log, fact]));
  }
}
