import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { endOf, untilAsleep } from '../../support/queues.ts';
import { ShimInPlace, shimWithoutProc } from '../../support/shims.ts';
import { World, waitFor } from '../../support/world.ts';

test('a queued task is shown as queued, not as started and not as suspended', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  await session.spawn('sleep 100');
  const task = await session.spawn('true', { onLimit: 'queue' });
  await untilAsleep(world, task);
  const { status, statusReason, startedAt, durationMs, pid, shimPid } = task.snapshot();
  assert.deepEqual([status, statusReason, startedAt, durationMs], ['queued', null, null, null]);
  assert.deepEqual([pid, shimPid], [null, factOf(world.logOf(task.id), 'waiting').pid]);
  assert.equal((await task.wait({ timeoutMs: 1 })).status, 'queued');
});

test('the timeout of a queued task counts from its start, not from when it was queued', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  // Wine may take a second for `true`.
  const first = await session.spawn(onWindows ? 'sleep 6' : 'sleep 1');
  const task = await session.spawn('true', { onLimit: 'queue', timeoutMs: onWindows ? 5_000 : 800 });
  const end = await endOf(task);
  assert.deepEqual([end.status, end.exitCode], ['completed', 0]);
  const { endedAt } = first.snapshot();
  // There the exit is told by the time of a file.
  assert.ok(
    (end.startedAt ?? 0) >= (endedAt ?? Number.POSITIVE_INFINITY) - (onWindows ? 20 : 0),
    'it started when the other ended',
  );
  assert.ok((end.durationMs ?? 0) < (end.endedAt ?? 0) - end.createdAt - 500);
});

test('a queued task that runs for too long is stopped, also when its spawner is gone', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir, { session: { maxRunning: 1 } });
  const [first = '', second = ''] = await agent.run(async ({ session }) => [
    (await session.spawn('sleep 100')).id,
    (await session.spawn('sleep 100', { onLimit: 'queue', timeoutMs: 150 })).id,
  ]);
  await agent.crash();
  const session = await world.session('test');
  await session.task(first).kill({ graceMs: 0 });
  const { status, exitCode } = await endOf(session.task(second));
  assert.deepEqual([status, exitCode], ['timed_out', 124]);
});

test(
  'once a queued task runs, its shim alone keeps its timeout',
  notOnWindows('the Windows shim enforces no timeout'),
  async () => {
    await using world = new World();
    const agent = await Agent.start(world.dir, { session: { maxRunning: 1 } });
    const id = await agent.run(async ({ session }) => {
      const first = await session.spawn('sleep 0.1', { timeoutMs: null });
      const task = await session.spawn('sleep 100', { onLimit: 'queue', timeoutMs: 200, graceMs: 1_000 });
      await first.wait();
      while (task.snapshot().status !== 'running') await new Promise((resolve) => setTimeout(resolve, 1));
      return task.id;
    });
    await agent.crash();
    await waitFor(() => world.pidsOf(id).length === 0, 'the shim to end its command');
    const snapshot = await endOf((await world.session('test')).task(id));
    assert.equal(snapshot.status, 'timed_out');
    assert.ok((snapshot.durationMs ?? 0) >= 190, `it ran for ${snapshot.durationMs} ms`);
  },
);

test('a task waits for its turn also without /proc', async () => {
  await using world = new World();
  using _ = new ShimInPlace(shimWithoutProc(world));
  const session = await world.session('test', { maxRunning: 1 });
  const first = await session.spawn('sleep 0.4');
  const task = await session.spawn('echo "turn of $OUTLIVE_TASK"', { onLimit: 'queue' });
  const end = await endOf(task);
  assert.equal(end.status, 'completed');
  assert.match((await task.tail()).text, new RegExp(`^turn of ${task.id}\\.`));
  assert.ok((end.startedAt ?? 0) >= (first.snapshot().startedAt ?? 0) + 300);
});
