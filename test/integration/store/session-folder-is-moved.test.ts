import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OutliveError } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { untilAsleep } from '../../support/queues.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

test('a task that moves the folder of its session away is no longer found, and the session goes on', async () => {
  await using world = new World();
  const session = await world.session();
  await session.run('true');
  const [folder = ''] = readdirSync(join(world.dir, 'sessions'));
  const path = join(world.dir, 'sessions', folder);
  const away = join(world.base, 'away');
  const task = await session.spawn(`mv ${quote(path)} ${quote(away)}; sleep 0.2; exit 3`);
  await assert.rejects(
    task.wait(),
    (error) => error instanceof OutliveError && error.code === 'TASK_NOT_FOUND',
  );
  const next = await session.run('exit 4');
  assert.equal(next.snapshot.exitCode, 4);
  // The watch has gone with the old folder.
  await using agent = await Agent.start(world.dir);
  const completions = session.completions();
  const taskId = await agent.run(async ({ session }) => (await session.spawn('exit 5')).id);
  const told = await completions.next();
  assert.deepEqual([told.value?.taskId, told.value?.exitCode], [taskId, 5]);
  await completions.return();
});

test('a session whose folder is moved and moved back has its tasks again, ended as they did', async () => {
  await using world = new World();
  const session = await world.session();
  await session.run('true');
  const [folder = ''] = readdirSync(join(world.dir, 'sessions'));
  const path = join(world.dir, 'sessions', folder);
  const go = join(world.base, 'go');
  const task = await session.spawn(`echo ready; until [ -e ${quote(go)} ]; do sleep 0.02; done; exit 3`);
  // The shim of Windows is a file in that folder.
  await untilPrinted(task);
  const away = join(world.base, 'away');
  renameSync(path, away);
  assert.throws(() => task.snapshot(), { code: 'TASK_NOT_FOUND' });
  renameSync(away, path);
  await session.run(`touch ${quote(go)}`);
  const { exitCode } = await task.wait();
  assert.equal(exitCode, 3);
  assert.ok(!existsSync(away));
});

test(
  'queued tasks whose store is removed by hand do not wait forever',
  notOnWindows('what is open cannot be removed there'),
  async () => {
    await using world = new World();
    const session = await world.session('test', { maxRunning: 1 });
    const first = await session.spawn('sleep 300', { onLimit: 'queue' });
    const second = await session.spawn('echo hello', { onLimit: 'queue' });
    await untilStarted(world, first.id);
    await untilAsleep(world, second);
    const { pid } = factOf(world.logOf(second.id), 'waiting');
    assert.equal(second.snapshot().status, 'queued');
    const running = world.pidsOf(first.id);
    rmSync(world.dir, { recursive: true });
    await waitFor(() => !isLive(pid), `the shim ${pid} to be gone`);
    for (const each of running) process.kill(each, 'SIGKILL');
  },
);
