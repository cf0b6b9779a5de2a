import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { test } from 'node:test';
import { fixture, World, waitFor } from '../../support/world.ts';

/** More than can be searched while a test runs: a hole, which takes no room on the disk. */
const endless = 100 * 1024 ** 3;

test('output that takes long to search delays neither a port, nor the time limit, nor an abort', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('listens.mjs'), { maxOutputBytes: null, keepOutputBytes: null });
  await waitFor(async () => (await task.waitFor({ port: true, timeoutMs: 0 })).cause === 'port', 'the port');
  truncateSync(task.snapshot().output.path, endless);
  const pattern = /never (\d+)/;
  assert.equal((await task.waitFor({ pattern, port: true })).cause, 'port');
  assert.equal((await task.waitFor({ pattern, timeoutMs: 10 })).cause, 'timeout');
  const reason = new Error('changed my mind');
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), 10);
  await assert.rejects(task.waitFor({ pattern, abortSignal: abort.signal }), reason);
});
