import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, waitFor } from '../support/world.ts';

test('a task that was stopped by SIGSTOP shows that it is suspended, and goes on with SIGCONT', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const task = await session.spawn('echo ready; sleep 0.3; exit 4');
  await waitFor(async () => (await task.read()).text === 'ready\n', 'the command');
  const group = -(task.snapshot().pid ?? assert.fail());
  process.kill(group, 'SIGSTOP');
  const seen = () => [task.snapshot(), other.task(task.id).snapshot()];
  await waitFor(() => seen().every(({ statusReason }) => statusReason === 'suspended'), 'the suspension');
  assert.deepEqual(
    seen().map(({ status }) => status),
    ['running', 'running'],
  );
  process.kill(group, 'SIGCONT');
  await waitFor(() => seen().every(({ statusReason }) => statusReason !== 'suspended'), 'the continuation');
  const end = await task.wait();
  assert.deepEqual([end.status, end.exitCode, end.statusReason], ['failed', 4, null]);
});
