import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../src/model/pace.ts';

const taken = (pace: Pace, times: readonly number[]): number => times.filter((now) => pace.take(now)).length;
const everyMs = (pause: number, from: number, to: number): number[] =>
  Array.from({ length: Math.floor((to - from) / pause) }, (_, at) => from + at * pause);

test('a burst goes at once, then a fixed number per second, however long', () => {
  const pace = new Pace(10, 0);
  assert.equal(taken(pace, Array(50).fill(0)), 10);
  assert.equal(taken(pace, everyMs(1, 0, 1_000)), 9);
  assert.equal(taken(pace, everyMs(1, 1_000, 11_000)), 100);
});

test('a long rest saves up no more than a second', () => {
  const pace = new Pace(5, 0);
  assert.equal(taken(pace, Array(50).fill(3_600_000)), 5);
});

test('less than one per second is possible, and the pause says when the next may go', () => {
  const pace = new Pace(0.5, 0);
  assert.equal(pace.take(0), true);
  assert.equal(pace.take(0), false);
  assert.equal(pace.pauseMs, 2_000);
  assert.equal(pace.take(1_999), false);
  assert.equal(pace.take(1_999 + pace.pauseMs), true);
});

test('without a limit everything is allowed', () => {
  assert.equal(taken(new Pace(Number.POSITIVE_INFINITY, 0), Array(1_000).fill(0)), 1_000);
});
