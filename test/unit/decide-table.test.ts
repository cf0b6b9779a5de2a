import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../src/model/facts.ts';
import { arrangements, checkDecision, sequences } from './decide-logs.ts';
import { ruleNames } from './decide-oracle.ts';
import { delivered, exit, outcome, pipe, reaped, spec, started, stop } from './sample-facts.ts';

/** Those of decide-queue.test.ts. */
const queueRules = new Set(['queued', 'elsewhere, queued', 'stopped before it ran', 'spawn aborted']);

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
    checkDecision(log);
    count += 1;
  }
  // 13,700 arrangements of up to seven kinds; the variants make more of each.
  assert.ok(count > 100_000, `only ${count} logs were tried`);
});

test('every sequence of up to five facts, repeated ones too, is decided as the design says', () => {
  for (const log of sequences(core, 5)) checkDecision(log);
});

test('so is every sequence of up to four that has what the parent saw and the pipeline as well', () => {
  const met = new Set<string>();
  for (const log of sequences(all, 4)) for (const rule of checkDecision(log)) met.add(rule);
  assert.deepEqual(
    ruleNames.filter((rule) => !met.has(rule) && !queueRules.has(rule)),
    [],
    'rules that no log came under',
  );
});
