import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import { arrangements, checkDecision, native, onWindows, sequences } from './decide-logs.ts';
import { ruleNames } from './decide-oracle.ts';
import {
  delivered,
  exit,
  outcome,
  proven,
  refused,
  sealedSpec,
  spec,
  started,
  stop,
} from './sample-facts.ts';

/** Those of decide-queue.test.ts. */
const queueRules = new Set(['queued', 'elsewhere, queued']);

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

/** Of that many arrangements one is decided here, and each of them by test/prove/decide.prove.ts. */
const stride = 6;

test('every subset of the facts is decided as the design says, in some of its orders and variants', () => {
  for (const [kinds, atLeast] of [
    [onWindows, 20_000],
    [native, 300_000],
  ] as const) {
    const begin = Math.floor(Math.random() * stride);
    let count = 0;
    for (const log of arrangements(kinds, [])) {
      if (count % stride === begin) checkDecision(log);
      count += 1;
    }
    // Of up to six kinds there are 1,957 arrangements; the variants make more of each.
    assert.ok(count > atLeast, `only ${count} logs were made`);
  }
});

test('every sequence of up to five facts of Windows, with repetitions, is decided as the design says', () => {
  for (const log of sequences(core, 5)) checkDecision(log);
});

test('each row of the table is covered by logs of Windows and of native shims', () => {
  const more = [...core, exit('SIGKILL'), exit(0, { pipeStatus: [1, 0] })];
  const hidden = proven(0, { pipeStatus: [1, 0] });
  const shims = [sealedSpec, started(), proven(0), hidden, proven(3), proven('SIGKILL'), refused];
  const ofNative = [...shims, stop('kill'), stop('timeout'), outcome()];
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
