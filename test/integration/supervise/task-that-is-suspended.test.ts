import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { quote, World, waitFor } from '../../support/world.ts';

test('a task that is stopped by SIGSTOP shows as suspended, and goes on with SIGCONT', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const go = `${world.base}/go`;
  const task = await session.spawn(`echo ready; until [ -e ${quote(go)} ]; do sleep 0.02; done; exit 4`);
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
  writeFileSync(go, '');
  const end = await task.wait();
  assert.deepEqual([end.status, end.exitCode, end.statusReason], ['failed', 4, null]);
});

// The kernel stops no process that has called vfork() until its child runs a program; the child it stops.
test('a task shows as suspended also when its shell was just starting a program', async (t) => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; while :; do sleep 0.001; done', { shell: 'dash' });
  await waitFor(async () => (await task.read()).text === 'ready\n', 'the command');
  const pid = task.snapshot().pid ?? assert.fail();
  let isHeld = false;
  for (let attempt = 0; attempt < 2_000 && !isHeld; attempt += 1) {
    process.kill(-pid, 'SIGSTOP');
    await waitFor(() => /\) [TD] /.test(statOf(pid)), 'the shell to stand still');
    isHeld = /\) D /.test(statOf(pid));
    if (!isHeld) process.kill(-pid, 'SIGCONT');
  }
  // Not every build of it calls vfork().
  if (!isHeld) return t.skip('the shell was never held');
  await waitFor(() => task.snapshot().statusReason === 'suspended', 'the suspension');
  process.kill(-pid, 'SIGCONT');
  await waitFor(() => task.snapshot().statusReason === null, 'the continuation');
});

function statOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'latin1');
}
