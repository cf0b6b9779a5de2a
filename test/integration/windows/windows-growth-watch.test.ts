import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { GrowthWatch } from '../../../src/engine/windows/growth-watch.ts';
import { World, waitFor } from '../../support/world.ts';

test('a growing file is reported by the id of its task, and other files are not', async () => {
  await using world = new World();
  mkdirSync(world.dir);
  writeFileSync(`${world.dir}/bgb-0123abcd0123.out`, '');
  const grown: string[] = [];
  const watch = new GrowthWatch(world.dir, (taskId) => grown.push(taskId), assert.fail);
  watch.arm();
  assert.ok(watch.isArmed);
  appendFileSync(`${world.dir}/other.out`, 'x');
  appendFileSync(`${world.dir}/bgb-0123abcd0123.out`, 'x');
  await waitFor(() => grown.length > 0, 'an event');
  assert.deepEqual([...new Set(grown)], ['bgb-0123abcd0123']);
  watch.close();
  assert.ok(!watch.isArmed);
});

test('the watch of a chatty folder pauses, and does not start again at once', async () => {
  await using world = new World();
  mkdirSync(world.dir);
  let lost = 0;
  let told = 0;
  const watch = new GrowthWatch(
    world.dir,
    () => (told += 1),
    () => (lost += 1),
  );
  watch.arm();
  await waitFor(() => {
    for (let n = 0; n < 20; n += 1) appendFileSync(`${world.dir}/bgb-01230123abc${n % 10}.out`, 'x');
    return lost > 0;
  }, 'the watch to be let go');
  assert.ok(!watch.isArmed && told <= 101 && lost === 1);
  watch.arm();
  assert.ok(!watch.isArmed, 'it rests');
});

test('a missing folder is no error', () => {
  const watch = new GrowthWatch('/nowhere/at/all', assert.fail, assert.fail);
  watch.arm();
  assert.ok(!watch.isArmed);
});
