import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

test('staleAfterMs stops adopted tasks that have run longer, and no others', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  await untilStarted(world, taskId);
  await agent.crash();
  const patient = await world.session('test', { staleAfterMs: 600_000 });
  assert.equal(patient.task(taskId).snapshot().status, 'running');
  await waitFor(() => (patient.task(taskId).snapshot().durationMs ?? 0) > 150, 'the task to be older');
  await patient.close();
  const session = await world.session('test', { staleAfterMs: 100 });
  const own = await session.spawn('sleep 0.3; exit 4');
  const snapshot = await session.task(taskId).wait();
  assert.equal(snapshot.status, 'killed');
  assert.equal(snapshot.statusReason, 'stale');
  assert.deepEqual(world.pidsOf(taskId), []);
  assert.equal((await own.wait()).exitCode, 4, 'a task of its own is not stale');
});

// In the reference system any session of a project could stop the task of another one.
test('a task of another session is not found, and cannot be stopped from there', async () => {
  await using world = new World();
  const store = await world.store();
  const task = await (await store.session('one')).spawn('sleep 300');
  const other = await store.session('two');
  const notFound = (error: unknown): boolean =>
    error instanceof OutliveError && error.code === 'TASK_NOT_FOUND';
  assert.throws(() => other.task(task.id), notFound);
  assert.deepEqual(await other.tasks(), []);
  assert.deepEqual(await other.shutdown(), []);
  await waitFor(() => task.snapshot().status === 'running', 'the task to run on');
  await task.kill({ graceMs: 500 });
  assert.deepEqual(await other.pending(), []);
});
