import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { sentinels, untilKept } from '../support/keepers.ts';
import { untilPrinted } from '../support/ready.ts';
import { fixture, isLive, World, waitFor } from '../support/world.ts';

const libraryUrl = new URL('../../src/index.js', import.meta.url).href;

test('the keeper of a spawner that is a task itself is neither stopped with that task nor its leftover', async () => {
  await using world = new World();
  const session = await world.session('outer');
  await (await session.spawn('true')).wait();
  await waitFor(() => sentinels(world).length === 1, "the outer spawner's sentinel");
  const [ours] = sentinels(world);
  const task = await session.spawn(fixture('spawns-a-task.mjs', libraryUrl, world.dir));
  await untilPrinted(task, 'spawned');
  await waitFor(() => sentinels(world).length === 2, "the inner spawner's sentinel");
  const [inner] = sentinels(world).filter((pid) => pid !== ours);
  const { status, leftovers } = await task.kill({ graceMs: 100 });
  assert.deepEqual([status, leftovers], ['killed', []]);
  assert.ok(isLive(inner ?? 0));
  const keeper = await untilKept(world);
  for (const pid of [inner, keeper]) {
    assert.ok(!readFileSync(`/proc/${pid}/environ`, 'utf8').includes('OUTLIVE_TASK'));
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/', 'it holds no folder');
    for (const fd of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
  }
});
