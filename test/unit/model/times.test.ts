import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldFacts } from '../../../src/model/fold.ts';
import { type Observation, sayHowLong, snapshotOf, type TaskSnapshot } from '../../../src/model/snapshot.ts';
import { ranMs } from '../../../src/model/times.ts';
import { anyNumber } from './arbitrary-facts.ts';
import { noOutput, outcome, proven, sealedSpec, started, stop } from './sample-facts.ts';

const begin = started().at;
const day = 86_400_000;

test('a command ran as long as the clock of its shim says', () => {
  assert.equal(ranMs(started({ monoMs: 7_000 }), proven(0, { monoMs: 7_980 })), 980);
  assert.equal(ranMs(started({ monoMs: 7_000.25 }), proven(0, { monoMs: 7_000.5 })), 0);
});

test('an impossible measurement counts as unknown', () => {
  assert.equal(ranMs(started({ monoMs: null }), proven(0)), null);
  assert.equal(ranMs(started(), proven(0, { monoMs: null })), null);
  assert.equal(ranMs(started({ monoMs: 7_000 }), proven(0, { monoMs: 6_999 })), null);
  assert.equal(ranMs(started({ monoMs: 0 }), proven(0, { monoMs: 1e15 })), null);
});

test('a step of the wall clock, or a suspended machine, does not change a measured duration', () => {
  for (const at of [begin - day, begin, begin + day])
    assert.equal(shown([proven(0, { at })]).durationMs, 980, `${at}`);
  const recorded = [proven(0), outcome({ startedAt: begin, endedAt: begin + day })];
  assert.equal(shown(recorded).durationMs, 980);
});

test('without a measurement the wall clock is used, and a step back gives no negative time', () => {
  const unmeasured = (at: number | null) => shown([proven(0, { at, monoMs: null })]);
  assert.equal(unmeasured(begin + 7_000).durationMs, 7_000);
  assert.equal(unmeasured(begin - 7_000).durationMs, 0);
});

test('an unseen end is not made up', () => {
  const lost = (...more: Parameters<typeof foldFacts>[0]): TaskSnapshot =>
    snapshotOf(foldFacts([sealedSpec, started(), ...more]), { ...seen, alive: 'no' });
  const times = ({ status, endedAt, durationMs, lastSeenAt }: TaskSnapshot) =>
    [status, endedAt, durationMs, lastSeenAt] as const;
  // The shim wrote last.
  assert.deepEqual(times(lost()), ['lost', null, null, begin + 50_000]);
  // Somebody else did: that is no sign of the task.
  assert.deepEqual(times(lost(stop('kill'))), ['killed', null, null, begin]);
  const recorded = outcome({ startedAt: begin, endedAt: null, lastSeenAt: begin + 6_000 });
  assert.deepEqual(times(lost(recorded)), ['lost', null, null, begin + 6_000]);
  assert.deepEqual(times(lost(proven(0, { at: null, monoMs: null }))), [
    'completed',
    null,
    null,
    begin + 50_000,
  ]);
  // Times that are still to come are none that anybody has seen.
  const ahead = snapshotOf(foldFacts([sealedSpec, started()]), { ...seen, alive: 'no', nowMs: begin + 10 });
  assert.equal(ahead.lastSeenAt, begin);
});

test('later output is a newer sign of life than the record', () => {
  const log = [
    sealedSpec,
    started(),
    outcome({ startedAt: begin, endedAt: null, lastSeenAt: begin + 6_000 }),
  ];
  const at = (lastWrittenAt: number): TaskSnapshot =>
    snapshotOf(foldFacts(log), { ...seen, alive: 'no', output: { ...seen.output, lastWrittenAt } });
  assert.equal(at(begin + 9_000).lastSeenAt, begin + 9_000);
  assert.equal(at(begin + 3_000).lastSeenAt, begin + 6_000);
  assert.equal(sayHowLong(at(begin + 9_000), String), 'last seen writing after 9000');
  assert.equal(sayHowLong(at(begin + 3_000), String), 'last seen after 6000');
  assert.equal(sayHowLong(shown([proven(0), outcome()]), String), 'after 980');
  const silent = snapshotOf(foldFacts([sealedSpec, started(), stop('kill')]), { ...seen, alive: 'no' });
  assert.equal(sayHowLong(silent, String), 'not seen after its start');
  assert.equal(sayHowLong(snapshotOf(foldFacts([sealedSpec]), { ...seen, alive: 'no' }), String), '');
});

test('a stop request before the start is the end time of a task that never ran', () => {
  const facts = foldFacts([sealedSpec, { ...stop('kill'), at: begin - 300 }]);
  const { status, endedAt, lastSeenAt } = snapshotOf(facts, seen);
  assert.deepEqual([status, endedAt, lastSeenAt], ['killed', begin - 300, null]);
});

test('a running task has run since its start, and has no end', () => {
  const { startedAt, endedAt, durationMs } = shown([]);
  assert.deepEqual([startedAt, endedAt, durationMs], [begin, null, 60_000]);
});

test('a task that did not start has no start time and no duration', () => {
  const { startedAt, durationMs } = snapshotOf(foldFacts([sealedSpec]), seen);
  assert.deepEqual([startedAt, durationMs], [null, null]);
});

test('a recorded outcome says when the task started and ended', () => {
  const { startedAt, endedAt } = shown([proven(0), outcome({ startedAt: 5, endedAt: 9 })]);
  assert.deepEqual([startedAt, endedAt], [5, 9]);
});

test('whatever a log says, times are numbers and durations are not negative', () => {
  const wild = fc.oneof(anyNumber, fc.constantFrom(1e308, -1e308, 0.5));
  const wildOrNull = fc.option(wild);
  fc.assert(
    fc.property(wild, wildOrNull, wildOrNull, wildOrNull, (at, monoMs, endedAt, endMonoMs) => {
      const facts = foldFacts([
        sealedSpec,
        started({ at, monoMs }),
        proven(0, { at: endedAt, monoMs: endMonoMs }),
      ]);
      const snapshot = snapshotOf(facts, seen);
      const over = snapshot.endedAt ?? snapshot.lastSeenAt;
      assert.ok(Number.isFinite(over), `over at ${over}`);
      assert.ok(snapshot.durationMs === null || snapshot.durationMs >= 0, `ran for ${snapshot.durationMs}`);
    }),
    { numRuns: 1_000 },
  );
});

const seen: Observation = {
  taskId: 'bgb-0123abcd0123',
  sessionId: 'session-1',
  alive: 'yes',
  suspended: false,
  nowMs: begin + 60_000,
  modifiedAt: begin + 50_000,
  output: noOutput,
};

function shown(more: Parameters<typeof foldFacts>[0]): TaskSnapshot {
  return snapshotOf(foldFacts([sealedSpec, started(), ...more]), seen);
}
