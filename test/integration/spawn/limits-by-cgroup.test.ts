import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { Session } from '../../../src/index.ts';
import { FakeCgroup, TestCgroup } from '../../support/cgroups.ts';
import { factOf } from '../../support/logs.ts';
import { untilPrinted } from '../../support/ready.ts';
import { ShimInPlace, shimAfter } from '../../support/shims.ts';
import { fixture, isLive, World, waitFor } from '../../support/world.ts';

/** A process without the cookie, in a session of its own, that does not heed SIGTERM: only its cgroup tells whose it is. */
const runaway = fixture('sheds-everything.sh');
const library = new URL('../../../src/index.js', import.meta.url).href;

test('a task with limits runs in its own cgroup, which is gone when the task has ended', async () => {
  await using cgroup = new TestCgroup();
  await using world = new World();
  const session = await sessionIn(world, cgroup.dir);
  const { output, snapshot } = await session.run('cat /proc/self/cgroup', { cpuSeconds: 60 });
  const group = factOf(world.logOf(snapshot.taskId), 'spec').cgroup ?? '';
  assert.ok(group.startsWith(`${cgroup.dir}/outlive-`), group);
  assert.match(output.text, new RegExp(`^0::.*/${basename(group)}$`, 'm'));
  assert.deepEqual(cgroup.groups(), []);
});

test('a task without limits has no cgroup', async () => {
  await using cgroup = new TestCgroup();
  await using world = new World();
  const session = await sessionIn(world, cgroup.dir);
  const { snapshot } = await session.run('true');
  assert.equal(factOf(world.logOf(snapshot.taskId), 'spec').cgroup, undefined);
});

for (const killSignal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a stop with ${killSignal} ends processes that have shed their cookie, group and session`, async () => {
    await using cgroup = new TestCgroup();
    await using world = new World();
    const session = await sessionIn(world, cgroup.dir);
    const task = await session.spawn(`${runaway} & wait`, { cpuSeconds: 60 });
    await untilPrinted(task);
    const pid = Number((await task.tail()).text.split(' ')[1]);
    assert.deepEqual([isLive(pid), world.pidsOf(task.id).includes(pid)], [true, false]);
    const { status, leftovers } = await task.kill({ killSignal, graceMs: 100 });
    assert.deepEqual([status, leftovers, isLive(pid)], ['killed', [], false]);
    await waitFor(() => cgroup.groups().length === 0, 'the group to be removed');
  });
}

test('a process that has shed everything is still a leftover, and can be stopped', async () => {
  await using cgroup = new TestCgroup();
  await using world = new World();
  const session = await sessionIn(world, cgroup.dir);
  const untilReady = 'until grep -q ready /proc/$$/fd/1; do sleep 0.01; done';
  const task = await session.spawn(`${runaway} & ${untilReady}`, { cpuSeconds: 60 });
  const { leftovers } = await task.wait();
  const pid = Number((await task.tail()).text.split(' ')[1]);
  assert.ok(leftovers.some((leftover) => leftover.pid === pid));
  assert.equal(cgroup.groups().length, 1);
  await task.kill({ graceMs: 0 });
  assert.equal(isLive(pid), false);
  await waitFor(() => world.pids().length === 0, 'the shim to end');
  // Whoever opens the session next removes the group.
  const later = await sessionIn(world, cgroup.dir);
  assert.deepEqual([later.id, cgroup.groups()], ['test', []]);
});

test('a task that a task spawned is in its own cgroup, and does not end when the outer one is stopped', async () => {
  await using cgroup = new TestCgroup();
  await using world = new World();
  const session = await sessionIn(world, cgroup.dir);
  const outer = await session.spawn(fixture('spawns-a-task.mjs', library, world.dir), { cpuSeconds: 60 });
  await untilPrinted(outer, 'spawned');
  await outer.kill({ graceMs: 0 });
  const inner = (await session.tasks()).find(({ taskId }) => taskId !== outer.id);
  const task = session.task(inner?.taskId ?? '');
  await waitFor(() => task.snapshot().status !== 'starting', 'the inner task to start');
  assert.equal(task.snapshot().status, 'running');
  await task.kill({ graceMs: 0 });
  await waitFor(() => world.pids().length === 0, 'the shims to end');
  await sessionIn(world, cgroup.dir);
  assert.deepEqual(cgroup.groups(), []);
});

test('the next task with limits removes cgroups that crashed spawners left without a record', async () => {
  await using cgroup = new TestCgroup();
  await using world = new World();
  const session = await sessionIn(world, cgroup.dir);
  const { snapshot } = await session.run('true', { cpuSeconds: 60 });
  const group = factOf(world.logOf(snapshot.taskId), 'spec').cgroup ?? '';
  const strangers = join(cgroup.dir, 'outlive-000000000000-bgb-000000000000');
  for (const path of [group.replace(snapshot.taskId, 'bgb-000000000000'), strangers]) mkdirSync(path);
  await session.run('true', { cpuSeconds: 60 });
  assert.deepEqual(cgroup.groups(), [basename(strangers)], 'another store’s stays');
  rmdirSync(strangers);
});

test('if there are controllers, the cgroup limits memory and processes, and reports a kill for memory', async () => {
  using cgroup = new FakeCgroup('cpu memory pids');
  await using world = new World();
  // The kernel makes this file with each group.
  using _ = new ShimInPlace(
    shimAfter(world, `for group in ${cgroup.dir}/outlive-*; do : >"$group/cgroup.procs"; done`),
  );
  const session = await sessionIn(world, cgroup.dir);
  const options = { memoryBytes: 64 * 1024 ** 2, processes: 50 };
  const killed = `cd ${cgroup.dir}/outlive-*-bgb-*; echo 'oom_kill 1' >memory.events; exit 137`;
  const { snapshot } = await session.run(killed, options);
  assert.deepEqual(snapshot.limits, [
    { limit: 'memoryBytes', value: 64 * 1024 ** 2, by: 'cgroup' },
    { limit: 'processes', value: 50, by: 'cgroup' },
  ]);
  assert.deepEqual(
    [snapshot.status, snapshot.statusReason, snapshot.exitCode],
    ['failed', 'memory_limit', 137],
  );
  const group = factOf(world.logOf(snapshot.taskId), 'spec').cgroup ?? '';
  assert.equal(readFileSync(join(group, 'memory.max'), 'utf8'), String(64 * 1024 ** 2));
  assert.equal(readFileSync(join(group, 'pids.max'), 'utf8'), '50');
  assert.match(readFileSync(join(group, 'cgroup.procs'), 'utf8'), /^0$/m);
});

async function sessionIn(world: World, cgroup: string): Promise<Session> {
  return await world.session('test', { store: { cgroup } });
}
