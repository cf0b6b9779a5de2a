import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../src/model/facts.ts';
import { arrangements, checkDecision, sequences } from './decide-logs.ts';
import { ruleNames } from './decide-oracle.ts';
import {
  delivered,
  exit,
  exitProof,
  gone,
  left,
  outcome,
  pending,
  pipe,
  proven,
  refused,
  sealedSpec,
  spec,
  started,
  stop,
} from './sample-facts.ts';

/** Those of decide-queue.test.ts. */
const queueRules = new Set(['queued', 'elsewhere, queued']);

/** Each fact that matters where nothing is proven (Windows), in each variant that matters. */
const onWindows: readonly (readonly Fact[])[] = [
  [spec()],
  [started()],
  [stop('kill'), stop('timeout'), stop('output_limit'), stop('shutdown')],
  [exit(0), exit(7), exit(7, { copied: 1_000 })],
  [pipe(1, 0)],
  [outcome()],
  [delivered()],
];

/** Each fact of a native shim that matters, in each variant that matters. */
const native: readonly (readonly Fact[])[] = [
  [sealedSpec],
  [started()],
  [stop('kill'), stop('timeout')],
  [proven(7), proven('SIGKILL'), pending(0), refused, exit(0)],
  [left(), left('c0ffee'), left(exitProof)],
  [gone(), gone(exitProof)],
  [outcome()],
];

/** What decides alone on Windows: one of each, and a second one that differs. */
const core: readonly Fact[] = [
  spec(),
  started(),
  stop('kill'),
  stop('timeout', 'stop-2'),
  exit(0),
  exit(7, { copied: 1_000 }),
  outcome(),
  outcome({ id: 'outcome-2' }),
  delivered(),
];

test('every subset of the facts, in every order and variant, is decided as the design says', () => {
  for (const [kinds, atLeast] of [
    [onWindows, 100_000],
    [native, 300_000],
  ] as const) {
    let count = 0;
    for (const log of arrangements(kinds, [])) {
      checkDecision(log);
      count += 1;
    }
    // 13,700 arrangements of up to seven kinds; the variants make more of each.
    assert.ok(count > atLeast, `only ${count} logs were tried`);
  }
});

test('every sequence of up to five facts of Windows, repeated ones too, is decided as the design says', () => {
  for (const log of sequences(core, 5)) checkDecision(log);
});

test('each row of the table is met by logs of Windows and by those of native shims', () => {
  const more = [...core, exit('SIGKILL'), pipe(0, 141), pipe(1, 0)];
  const shims = [sealedSpec, started(), proven(0), proven(3), proven('SIGKILL'), refused];
  const ofNative = [...shims, stop('kill'), stop('timeout'), pipe(1, 0), outcome()];
  for (const alphabet of [more, ofNative]) {
    const met = new Set<string>();
    for (const log of sequences(alphabet, 4)) for (const rule of checkDecision(log)) met.add(rule);
    assert.deepEqual(
      ruleNames.filter((rule) => !met.has(rule) && !queueRules.has(rule)),
      [],
      'rules that no log came under',
    );
  }
});
