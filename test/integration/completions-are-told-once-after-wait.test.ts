import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Taker } from '../support/completions.ts';
import { World, waitFor } from '../support/world.ts';

test('who has the result from wait is not told of it again, and nobody else is', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  const waited = await session.spawn('sleep 0.1');
  assert.equal((await waited.wait()).delivered, true);
  const ran = await session.run('true');
  assert.equal(ran.snapshot.delivered, true);
  const told = await session.spawn('true');
  await waitFor(() => taker.taken.length > 0, 'a completion');
  assert.deepEqual(taker.ids, [told.id]);
  assert.deepEqual(
    (await (await world.session()).pending()).map(({ taskId }) => taskId),
    [told.id],
  );
});

test('a wait that does not acknowledge leaves the completion owed', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  const task = await session.spawn('sleep 0.1');
  assert.equal((await task.wait({ ack: false })).delivered, false);
  await waitFor(() => taker.taken.length > 0, 'the completion');
  assert.deepEqual(taker.ids, [task.id]);
  assert.equal((await task.wait({ ack: false })).delivered, false);
  assert.equal((await task.wait()).delivered, true);
  assert.deepEqual(await session.pending(), []);
});

test('a wait that gave up leaves the completion owed', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.3');
  assert.match((await task.wait({ timeoutMs: 1 })).status, /^(starting|running)$/);
  await using taker = new Taker(session);
  await waitFor(() => taker.taken.length > 0, 'the completion');
  assert.deepEqual(taker.ids, [task.id]);
});
