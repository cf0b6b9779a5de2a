import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldFacts } from '../../src/model/fold.ts';
import { type Observation, snapshotOf, type TaskSnapshot } from '../../src/model/snapshot.ts';
import { ranMs } from '../../src/model/times.ts';
import { anyNumber } from './arbitrary-facts.ts';
import { outcome, proven, sealedSpec, started } from './sample-facts.ts';

const begin = started().at;
const day = 86_400_000;

test('a command ran for as long as the clock of its shim says', () => {
  assert.equal(ranMs(started({ monoMs: 7_000 }), proven(0, { monoMs: 7_980 })), 980);
  assert.equal(ranMs(started({ monoMs: 7_000.25 }), proven(0, { monoMs: 7_000.5 })), 0);
});

test('what no clock can have measured is not known', () => {
  assert.equal(ranMs(started({ monoMs: null }), proven(0)), null);
  assert.equal(ranMs(started(), proven(0, { monoMs: null })), null);
  assert.equal(ranMs(started({ monoMs: 7_000 }), proven(0, { monoMs: 6_999 })), null);
  assert.equal(ranMs(started({ monoMs: 0 }), proven(0, { monoMs: 1e15 })), null);
});

test('a step of the wall clock, or a lid that was closed, neither lengthens nor shortens what was measured', () => {
  for (const at of [begin - day, begin, begin + day])
    assert.equal(shown([proven(0, { at })]).durationMs, 980, `${at}`);
  const recorded = [proven(0), outcome({ startedAt: begin, endedAt: begin + day })];
  assert.equal(shown(recorded).durationMs, 980);
});

test('without a measurement the wall clock is used, and a step back makes no negative time', () => {
  const unmeasured = (at: number | null) => shown([proven(0, { at, monoMs: null })]);
  assert.equal(unmeasured(begin + 7_000).durationMs, 7_000);
  assert.equal(unmeasured(begin - 7_000).durationMs, 0);
  // It ended at the latest when its record was written last.
  assert.deepEqual([unmeasured(null).endedAt, unmeasured(null).durationMs], [begin + 50_000, 50_000]);
});

test('a task that runs has run since its start, and has no end', () => {
  const { startedAt, endedAt, durationMs } = shown([]);
  assert.deepEqual([startedAt, endedAt, durationMs], [begin, null, 60_000]);
});

test('a task that did not start has no start, and has run for no time', () => {
  const { startedAt, durationMs } = snapshotOf(foldFacts([sealedSpec]), seen);
  assert.deepEqual([startedAt, durationMs], [null, null]);
});

test('a recorded outcome says when the task started and ended', () => {
  const { startedAt, endedAt } = shown([proven(0), outcome({ startedAt: 5, endedAt: 9 })]);
  assert.deepEqual([startedAt, endedAt], [5, 9]);
});

test('whatever a log says, times are numbers and nobody has run for less than nothing', () => {
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
      assert.ok(Number.isFinite(snapshot.endedAt), `ended at ${snapshot.endedAt}`);
      assert.ok(snapshot.durationMs !== null && snapshot.durationMs >= 0, `ran for ${snapshot.durationMs}`);
    }),
    { numRuns: 1_000 },
  );
});

const seen: Observation = {
  taskId: 'bgb-0123abcd',
  sessionId: 'session-1',
  alive: 'yes',
  suspended: false,
  nowMs: begin + 60_000,
  modifiedAt: begin + 50_000,
  output: { path: '/o', stderrPath: null, bytes: 0, lastWrittenAt: null, preview: '', truncated: false },
};

function shown(more: Parameters<typeof foldFacts>[0]): TaskSnapshot {
  return snapshotOf(foldFacts([sealedSpec, started(), ...more]), seen);
}
