import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import { isSilent } from '../../../src/model/times.ts';
import { exit, noOutput, outcome, spec, started, stop } from '../model/sample-facts.ts';

const minute = 60_000;

test('a task counts as silent after a minute, and after more time than from its start to its last write', () => {
  const cases: [startedAt: number | null, lastWrittenAt: number | null, nowMs: number, silent: boolean][] = [
    [0, null, minute - 1, false],
    [0, null, minute, true],
    [0, 100, minute + 99, false],
    [0, 100, minute + 100, true],
    [0, 10 * minute, 20 * minute, false],
    [0, 10 * minute, 20 * minute + 1, true],
    [null, null, 99 * minute, false],
    // Clocks that do not agree: the file is older than the start, or the start is ahead.
    [5 * minute, 0, 5 * minute + 1, false],
    [5 * minute, 0, 6 * minute, true],
    [9 * minute, null, minute, false],
  ];
  for (const [startedAt, lastWrittenAt, nowMs, silent] of cases)
    assert.equal(
      isSilent({ startedAt, lastWrittenAt, nowMs }),
      silent,
      `${startedAt} ${lastWrittenAt} ${nowMs}`,
    );
});

test('a silent task was never silent for longer before, whenever it wrote', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30 * minute), { minLength: 1 }), fc.nat(60 * minute), (writes, later) => {
      const times = [0, ...writes.sort((a, b) => a - b)];
      const lastWrittenAt = times.at(-1) ?? 0;
      const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
      if (isSilent({ startedAt: 0, lastWrittenAt, nowMs: lastWrittenAt + later }))
        assert.ok(later > Math.max(...gaps));
    }),
  );
});

test('only running tasks count as silent, and a suspension takes precedence', () => {
  const facts = [spec(), started()];
  const { createdAt } = spec();
  const reason = (log: typeof facts, alive: 'yes' | 'no' | 'unknown', suspended = false): string | null =>
    snapshotOf(foldFacts(log), {
      taskId: 'bgb-0123abcd0123',
      sessionId: 'session-1',
      alive,
      suspended,
      nowMs: createdAt + 2 * minute,
      modifiedAt: createdAt,
      output: noOutput,
    }).statusReason;
  assert.equal(reason(facts, 'yes'), 'silent');
  assert.equal(reason(facts, 'yes', true), 'suspended');
  assert.equal(reason(facts, 'unknown'), 'elsewhere');
  assert.equal(reason([spec()] as typeof facts, 'yes'), null);
  assert.equal(reason([...facts, stop('kill')] as typeof facts, 'yes'), null);
  assert.equal(
    reason([...facts, exit(0), outcome({ status: 'completed', reason: null })] as typeof facts, 'no'),
    null,
  );
});
