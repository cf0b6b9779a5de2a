import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextLook, overshoot, pauseFor } from '../../../src/model/output-pace.ts';

/** 500 MB/s, in bytes a millisecond. */
const promised = 5e5;

test('a writer of 500 MB/s exceeds its limit by at most half of the allowed excess when it is checked', () => {
  const limits = fc.integer({ min: 200e6, max: 1e12 });
  fc.assert(
    fc.property(limits, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1e9), (limit, part, time) => {
      const left = limit * part;
      const written = (nextLook(time, pauseFor(left, limit)) - time) * promised;
      return written - left <= (limit * overshoot) / 2 + 1;
    }),
  );
});

test('checks are 20 ms to 1 s apart, and half a second with the default limit', () => {
  assert.equal(pauseFor(1024 ** 3, 1024 ** 3), 500);
  assert.equal(pauseFor(4e9, 4e9), 1_000);
  assert.equal(pauseFor(0, 1), 20);
  assert.equal(pauseFor(-5e9, 1024 ** 3), 20);
  fc.assert(
    fc.property(fc.integer(), fc.nat(), (left, limit) =>
      [20, 100, 500, 1_000].includes(pauseFor(left, limit)),
    ),
  );
});

test('checks with the same pause share ticks, and longer pauses use ticks of shorter ones', () => {
  for (const pause of [20, 100, 500, 1_000]) {
    for (const time of [0, 1, 999.5, 12_345.678]) {
      const next = nextLook(time, pause);
      assert.ok(next > time && next <= time + pause && next % 20 === 0 && next % pause === 0);
    }
  }
});
