import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessCache } from '../../../src/engine/session/process-cache.ts';
import type { ProcessUsage } from '../../../src/platform/system.ts';

const cookie = 'bgb-000000010000.aa';

function seen(pid: number, start: number, parent = 1, suspended = false): ProcessUsage {
  const view = { pid, parent, group: pid, session: pid, start, zombie: false, suspended };
  return { pid, cookie, memoryBytes: 0, cpuMs: 0, view };
}

test('a process counts as seen by pid, start time and cookie together', () => {
  const sight = new ProcessCache([seen(7, 100)]);
  assert.equal(sight.shim(7, 100, cookie)?.pid, 7);
  assert.equal(sight.shim(7, 101, cookie), null);
  assert.equal(sight.shim(7, null, cookie), null);
  assert.equal(sight.shim(8, 100, cookie), null);
  assert.equal(sight.shim(7, 100, 'bgb-000000010000.bb'), null);
});

test('a task is suspended when its process or a child of that is', () => {
  const of = (...others: ProcessUsage[]) => new ProcessCache(others).shim(7, 100, cookie)?.suspended;
  assert.equal(of(seen(7, 100), seen(8, 100, 7)), false);
  assert.equal(of(seen(7, 100, 1, true)), true);
  assert.equal(of(seen(7, 100), seen(8, 100, 7, true)), true);
  assert.equal(of(seen(7, 100), seen(8, 100, 7), seen(9, 100, 8, true)), false);
});

test('if a measurement lacks the cookie of a process, its pid and start time count', () => {
  const sight = new ProcessCache([{ ...seen(7, 100), cookie: null }]);
  assert.equal(sight.cookieOfShim(7), null);
  assert.equal(sight.shim(7, 101, cookie), null);
  assert.equal(sight.shim(7, 100, cookie)?.pid, 7);
  assert.equal(sight.cookieOfShim(7), cookie);
  assert.deepEqual(sight.cookies(), [cookie]);
});

test('a process that began before all shims is not theirs; without a start time this is unknown', () => {
  const [old, young] = [seen(5, 50), seen(8, 100)];
  const sight = new ProcessCache([old, seen(7, 100), young]);
  assert.ok(old.view && young.view);
  assert.equal(sight.isOlderThanAll(young.view), true, 'no shim was asked for');
  sight.shim(7, 100, cookie);
  assert.deepEqual(
    [old, young].map(({ view }) => view && sight.isOlderThanAll(view)),
    [true, false],
  );
  assert.equal(sight.isOlderThanAll({ ...old.view, start: null }), false);
});

test('a measurement without the start time and state of a process says nothing', () => {
  const { view: _, ...blind } = seen(7, 100);
  assert.equal(new ProcessCache([blind]).shim(7, 100, cookie), null);
});
