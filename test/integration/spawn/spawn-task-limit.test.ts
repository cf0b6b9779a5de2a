import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError, openStore } from '../../../src/index.ts';
import { World } from '../../support/world.ts';

test('one task too many is TASK_LIMIT, which names the running ones, and nothing is recorded', async () => {
  await using world = new World();
  const session = await world.session('few', { maxRunning: 2 });
  const running = [await session.spawn('sleep 100'), await session.spawn('sleep 100')];
  await assert.rejects(session.spawn('true'), (error: unknown) => {
    assert.ok(error instanceof OutliveError);
    assert.equal(error.code, 'TASK_LIMIT');
    assert.deepEqual(
      error.details.running,
      running.map((task) => task.id),
    );
    return running.every((task) => error.message.includes(task.id));
  });
  assert.equal(world.taskIds().length, 2);
});

test('spawns at the same time do not pass the limit together', async () => {
  await using world = new World();
  const session = await world.session('few', { maxRunning: 3 });
  const spawns = await Promise.allSettled(Array.from({ length: 10 }, () => session.spawn('sleep 100')));
  assert.equal(spawns.filter((spawn) => spawn.status === 'fulfilled').length, 3);
  assert.equal(world.taskIds().length, 3);
});

test('the end of a task makes room for the next one', async () => {
  await using world = new World();
  const session = await world.session('few', { maxRunning: 1 });
  for (let round = 0; round < 3; round += 1) await (await session.spawn('true')).wait();
  assert.equal(world.taskIds().length, 3);
});

test('the limit is per session, and counts adopted tasks', async () => {
  await using world = new World();
  const session = await world.session('few', { maxRunning: 1 });
  await session.spawn('sleep 100');
  const other = await world.session('another', { maxRunning: 1 });
  await other.spawn('sleep 100');
  await using later = await openStore({ dir: world.dir });
  const adopted = await later.session('few', { maxRunning: 1 });
  await assert.rejects(adopted.spawn('true'), { code: 'TASK_LIMIT' });
});
