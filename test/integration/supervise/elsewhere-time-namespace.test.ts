import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factsOf } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, World } from '../../support/world.ts';

// There the kernel tells other start times of the same processes, and another time since boot.
const before = ['unshare', '--time', '--fork', '--kill-child', '--boottime', '1000000'];

test('tasks of another time namespace are not judged by its clock, neither from outside nor from inside', async () => {
  await using world = new World();
  const session = await world.session('test');
  const outer = await session.spawn('sleep 300', { timeoutMs: 60_000 });
  await untilStarted(world, outer.id);
  await using inside = await Agent.start(world.dir, { before });
  const [innerId, seen] = await inside.run(async (scope, id) => {
    const task = await scope.session.spawn('sleep 300', { timeoutMs: 60_000 });
    return [task.id, scope.session.task(id).snapshot()] as const;
  }, outer.id);
  assert.deepEqual([seen.status, seen.statusReason], ['running', 'elsewhere']);
  await untilStarted(world, innerId);
  const inner = session.task(innerId);
  const { status, statusReason, pid } = inner.snapshot();
  assert.deepEqual([status, statusReason], ['running', 'elsewhere']);
  // Whoever looks has done what he would do.
  await (await session.spawn('true')).wait();
  assert.equal(outer.snapshot().status, 'running');
  for (const id of [innerId, outer.id])
    assert.ok(!factsOf(world.logOf(id)).some(({ fact }) => fact === 'outcome' || fact === 'stop'));
  assert.ok(isLive(pid ?? 0));
  const killed = await inside.run(
    async (scope, id) => await scope.session.task(id).kill({ graceMs: 0 }),
    innerId,
  );
  assert.equal(killed.status, 'killed');
  assert.equal((await outer.kill({ graceMs: 0 })).status, 'killed');
});
