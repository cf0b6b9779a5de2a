import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../src/index.ts';
import { ShimInPlace, shimAfter, slowShim } from '../support/shims.ts';
import { World } from '../support/world.ts';

test('a program that ends as no shim does is an error of the spawn, and leaves no task', async () => {
  await using world = new World();
  using _ = new ShimInPlace('/bin/false');
  const session = await world.session();
  await assert.rejects(
    session.spawn('echo never'),
    (error) => error instanceof OutliveError && error.code === 'SPAWN_FAILED',
  );
  assert.deepEqual([await session.tasks(), world.taskIds()], [[], []]);
});

test('a shim that ends before it has started the command is known soon to be done', async () => {
  await using world = new World();
  // Stands for one that is killed early.
  using _ = new ShimInPlace(shimAfter(world, 'exit 1'));
  const session = await world.session();
  const task = await session.spawn('echo never');
  const snapshot = await task.wait({ timeoutMs: 10_000, ack: false });
  assert.deepEqual([snapshot.status, snapshot.statusReason], ['failed', 'spawn_aborted']);
  assert.equal(task.snapshot().status, 'failed');
  const [owed] = await session.drain();
  assert.equal(owed?.taskId, task.id);
  assert.equal((await task.tail()).text, '');
});

test('a shim that takes its time is not taken for one that is gone', async () => {
  await using world = new World();
  using _ = new ShimInPlace(slowShim(world));
  const session = await world.session();
  const { snapshot } = await session.run('exit 3');
  assert.deepEqual([snapshot.status, snapshot.exitCode], ['failed', 3]);
});
