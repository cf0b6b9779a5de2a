import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { World } from '../../support/world.ts';

// Every flood here has an end of its own: a test that fails must not fill the disk.
const limit = { maxOutputBytes: 1_000_000 };

test('a flood is stopped because of its size, and the reason says so', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('yes | head -c 200M; sleep 1000', { ...limit, graceMs: 100 });
  const end = await task.wait({ timeoutMs: 15_000 });
  assert.deepEqual([end.status, end.statusReason], ['killed', 'output_limit']);
  assert.ok(end.output.bytes > limit.maxOutputBytes);
  assert.deepEqual(world.pidsOf(task.id, end.pid ?? 0), []);
});

test('both streams count when they are separate', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'head -c 600000 /dev/zero; head -c 600000 /dev/zero >&2; sleep 1000';
  const task = await session.spawn(command, { ...limit, separate: true });
  assert.equal((await task.wait({ timeoutMs: 15_000 })).statusReason, 'output_limit');
});

test('a task may write up to the limit', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('head -c 1000000 /dev/zero; sleep 0.3', limit);
  assert.equal((await task.wait({ timeoutMs: 15_000 })).status, 'completed');
});

test('a flood is stopped even if the store that spawned it is closed', async () => {
  await using world = new World();
  const first = await openStore({ dir: world.dir });
  const session = await first.session('test');
  const gate = `${world.base}/go`;
  const command = `until [ -e ${gate} ]; do sleep 0.02; done; head -c 2000000 /dev/zero; sleep 1000`;
  const task = await session.spawn(command, limit);
  await first.close();
  const later = await world.session();
  await later.run(`touch ${gate}`);
  const end = await later.task(task.id).wait({ timeoutMs: 15_000 });
  assert.deepEqual([end.status, end.statusReason], ['killed', 'output_limit']);
});
