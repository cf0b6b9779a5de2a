import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShimInPlace } from '../support/shims.ts';
import { World } from '../support/world.ts';

test('a shim that ends before it has started the command is known at once to be done', async () => {
  await using world = new World();
  // Stands for a shim that is killed early, or that cannot write to the log.
  using _ = new ShimInPlace('/bin/false');
  const session = await world.session();
  const task = await session.spawn('echo never');
  const snapshot = await task.wait({ timeoutMs: 10_000, ack: false });
  assert.deepEqual([snapshot.status, snapshot.statusReason], ['failed', 'spawn_aborted']);
  assert.equal(task.snapshot().status, 'failed');
  const [owed] = await session.drain();
  assert.equal(owed?.taskId, task.id);
  assert.equal((await task.tail()).text, '');
});
