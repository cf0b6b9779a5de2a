import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Floods, mostRefused } from '../../../src/fleet/coordinator/floods.ts';

function invented(host: string, n: number) {
  return { host, task: `bgb-${String(n).padStart(12, '0')}`, seq: n };
}

test('after too many unbelievable messages, reports of a host about unknown tasks are ignored for a minute', () => {
  const named: string[] = [];
  const floods = new Floods((host) => named.push(host));
  for (let n = 0; n < mostRefused; n += 1) floods.refused('h1', invented('h1', n), 0);
  assert.deepEqual([floods.skips('h1', 1), named], [false, []]);
  floods.refused('h1', null, 1);
  assert.deepEqual([floods.skips('h1', 1), floods.skips('h2', 1), named], [true, false, ['h1']]);
  assert.equal(floods.skips('h1', 60_000), false);
  // It goes on, and is named once.
  for (let n = 0; n <= mostRefused; n += 1) floods.refused('h1', null, 60_000);
  assert.deepEqual([floods.skips('h1', 60_001), named], [true, ['h1']]);
});

test('invented tasks are remembered up to a limit, with their last message, and handed out once', () => {
  const floods = new Floods(() => undefined);
  for (let n = 0; n < 50_000; n += 1) floods.refused('h1', invented('h1', n), 0);
  floods.refused('h1', { ...invented('h1', 1), seq: 99 }, 0);
  const first = floods.takeInvented(100);
  assert.deepEqual([first.length, first[0]], [100, invented('h1', 0)]);
  assert.equal(floods.takeInvented(1_000_000).length, 9_900);
  assert.deepEqual(floods.takeInvented(10), []);
});
