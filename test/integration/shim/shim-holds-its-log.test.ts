import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { factOf } from '../../support/logs.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { untilAsleep } from '../../support/queues.ts';
import { untilPrinted } from '../../support/ready.ts';
import { builtShim } from '../../support/shim.ts';
import { World, waitFor } from '../../support/world.ts';

const [held, free, untold] = [10, 11, 12];

function ask(log: string, before: readonly string[] = []): number | null {
  const [program = '', ...words] = [...before, builtShim, 'held', log];
  return spawnSync(program, words).status;
}

test('a shim holds its log while it lives, seen from any container, and nobody holds it after that', async () => {
  await using world = new World();
  await using container = await PidNamespace.start();
  const session = await world.session();
  const task = await session.spawn('echo ready; sleep 300');
  await untilPrinted(task);
  const log = world.logOf(task.id);
  assert.deepEqual([ask(log), ask(log, container.enter)], [held, held]);
  const { shimPid } = factOf(log, 'started');
  process.kill(shimPid, 'SIGSTOP');
  assert.equal(ask(log), held);
  // Its command runs on, and is no shim.
  process.kill(shimPid, 'SIGKILL');
  await waitFor(() => ask(log) === free, 'the log to be free');
  assert.notDeepEqual(world.pidsOf(task.id), []);
  assert.equal(ask(log, container.enter), free);
  await task.kill({ graceMs: 0 });
});

test('the shim of a queued task holds its log, and so does one that stays for leftovers', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const first = await session.spawn('sleep 300');
  const queued = await session.spawn('true', { onLimit: 'queue' });
  await untilAsleep(world, queued);
  assert.equal(ask(world.logOf(queued.id)), held);
  await queued.kill();
  await waitFor(() => ask(world.logOf(queued.id)) === free, 'the log to be free');
  await first.kill({ graceMs: 0 });
  const { task } = await session.run('setsid sleep 300 & exit 3');
  assert.equal(ask(world.logOf(task.id)), held);
  await task.kill({ graceMs: 0 });
  await waitFor(() => ask(world.logOf(task.id)) === free, 'the log to be free');
});

test('for a file that is not the log of a task the answer is unknown, or that nobody holds it', async () => {
  await using world = new World();
  writeFileSync(`${world.base}/file`, '');
  assert.equal(ask(`${world.base}/file`), free);
  assert.equal(ask(`${world.base}/nothing`), untold);
});
