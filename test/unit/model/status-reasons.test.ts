import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide } from '../../../src/model/decide.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import { reasonOf } from '../../../src/model/words.ts';
import { anyFacts } from './arbitrary-facts.ts';
import { noOutput, outcome } from './sample-facts.ts';

test('any facts are decided with a reason that fits the status', () => {
  fc.assert(
    fc.property(anyFacts, fc.constantFrom('yes', 'no', 'unknown'), (list, alive) => {
      const decision = decide(foldFacts(list), alive as 'yes' | 'no' | 'unknown');
      if (decision.state !== 'settle') return;
      const { status, reason } = decision.verdict;
      // Of leftovers a task has ended before; a record that says otherwise is damaged.
      const expected = reason === 'leftovers' ? null : reason;
      assert.equal(reasonOf(status, reason), expected, status);
    }),
    { numRuns: 3_000 },
  );
});

test('a reason in a damaged record that contradicts the status is not shown', () => {
  const seen = {
    taskId: 'bgb-0123abcd0123',
    sessionId: 's',
    alive: 'no' as const,
    suspended: false,
    nowMs: 5,
    modifiedAt: 4,
    output: noOutput,
  };
  const forged = { exitCode: 7, exitSignal: 'SIGKILL', reason: 'because' };
  for (const [status, exitCode, exitSignal] of [
    ['completed', 0, null],
    ['failed', 7, 'SIGKILL'],
    ['lost', null, null],
  ] as const) {
    const snapshot = snapshotOf(foldFacts([outcome({ ...forged, status })]), seen);
    assert.deepEqual(
      [snapshot.status, snapshot.statusReason, snapshot.exitCode, snapshot.exitSignal],
      [status, null, exitCode, exitSignal],
    );
  }
});
