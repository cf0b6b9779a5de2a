import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('output is checked even without file system events', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exec sleep 1000');
  const { path } = task.snapshot().output;
  const waiting = task.waitFor({ pattern: 'ready' });
  const watching = task.watch('ready').next();
  // The events are those of the file that was there: of the one that takes its place there are none.
  await task.waitFor({ pattern: 'ready', timeoutMs: 20 });
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
  await task.waitFor({ pattern: 'ready', timeoutMs: 20 });
  appendFileSync(path, 'ready\n');
  assert.equal((await waiting).cause, 'pattern');
  assert.equal((await watching).value?.text, 'ready');
});
