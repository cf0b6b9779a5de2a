import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onBeat } from '../../../src/util/beat.ts';

test('all listeners are called together every second, until they leave', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const calls: string[] = [];
  const leaveA = onBeat(() => calls.push('a'));
  t.mock.timers.tick(500);
  const leaveB = onBeat(() => calls.push('b'));
  t.mock.timers.tick(500);
  assert.deepEqual(calls, ['a', 'b']);
  leaveA();
  t.mock.timers.tick(1_000);
  assert.deepEqual(calls, ['a', 'b', 'b']);
  leaveB();
  t.mock.timers.tick(5_000);
  assert.equal(calls.length, 3);
});

test('a listener that leaves during a beat is not called again, and one that comes is', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const stay = onBeat(() => undefined);
  let once = 0;
  const leave = onBeat(() => {
    once += 1;
    leave();
  });
  t.mock.timers.tick(3_000);
  assert.equal(once, 1);
  let again = 0;
  const stop = onBeat(() => {
    again += 1;
  });
  t.mock.timers.tick(2_000);
  assert.equal(again, 2);
  stop();
  stay();
});
