import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { TestCgroup } from '../support/cgroups.ts';
import { sentinels, untilKept } from '../support/keepers.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { onWindows } from '../support/processes.ts';
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
  if (onWindows) return;
  for (const pid of [inner, keeper]) {
    assert.ok(!readFileSync(`/proc/${pid}/environ`, 'utf8').includes('OUTLIVE_TASK'));
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/', 'it holds no folder');
    for (const fd of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
  }
});

test(
  'nor is it ended with the cgroup of that task, in which it was started',
  notOnWindows('cgroups'),
  async () => {
    await using cgroup = new TestCgroup();
    await using world = new World();
    const session = await world.session('outer', { store: { cgroup: cgroup.dir, keeper: false } });
    const task = await session.spawn(fixture('spawns-a-task.mjs', libraryUrl, world.dir), { cpuSeconds: 60 });
    await untilPrinted(task, 'spawned');
    await waitFor(() => sentinels(world).length === 1, "the inner spawner's sentinel");
    const [inner = 0] = sentinels(world);
    const { status, leftovers } = await task.kill({ killSignal: 'SIGKILL' });
    assert.deepEqual([status, leftovers, isLive(inner)], ['killed', [], true]);
    await untilKept(world);
    for (const pid of world.pids()) process.kill(pid, 'SIGKILL');
    await waitFor(() => world.keepers().length === 0, 'the keeper to have nothing left to do');
    await session.close();
    // The group goes when the next one looks: what was in it has ended.
    await world.session('outer', { store: { cgroup: cgroup.dir, keeper: false } });
  },
);
