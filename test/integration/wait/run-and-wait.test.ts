import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('a command runs in the background, and its exit code is right', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo out; echo err >&2; exit 7');
  const snapshot = await task.wait();
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.exitCode, 7);
  assert.equal(snapshot.output.preview, 'out\nerr\n');
});
