import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isEnded } from '../../../src/index.ts';
import { Taker } from '../../support/completions.ts';
import { hasFact } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** Git for Windows has no setsid. */
const away = onWindows ? '' : 'setsid ';

test('leftovers "kill": leftovers are gone when the task ends, also those that ignore SIGTERM', async () => {
  await using world = new World();
  const session = await world.session();
  const leaves = onWindows ? 'sleep 1001 &' : `${fixture('leaves-processes.sh', world.base)};`;
  const command = `${leaves} (trap '' TERM; sleep 1004) & exit 5`;
  const task = await session.spawn(command, { leftovers: 'kill', graceMs: 100 });
  const end = await task.wait();
  assert.deepEqual([end.status, end.exitCode, end.leftovers], ['failed', 5, []]);
  assert.deepEqual(world.pidsOf(task.id, end.pid ?? 0), []);
});

test('leftovers "wait": the task runs until its leftovers have ended, and its exit code is the command’s', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  await using taker = new Taker(other);
  const gate = `${world.base}/go`;
  const late = `${away}sh -c 'until [ -e ${gate} ]; do sleep 0.02; done; echo late' & exit 3`;
  const task = await session.spawn(late, { leftovers: 'wait' });
  const waiting = [task.wait({ ack: false }), other.task(task.id).wait({ ack: false })];
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
  assert.equal(task.snapshot().status, 'running');
  assert.equal(other.task(task.id).snapshot().status, 'running');
  assert.deepEqual(taker.ids, []);
  writeFileSync(gate, '');
  for (const end of await Promise.all(waiting)) {
    assert.deepEqual([end.status, end.exitCode, end.leftovers], ['failed', 3, []]);
    assert.equal(end.output.preview, 'late\n');
  }
  await waitFor(() => taker.taken.length === 1, 'the completion');
});

test('leftovers "wait": a store that is opened later goes on waiting', async () => {
  await using world = new World();
  const session = await world.session();
  const gate = `${world.base}/go`;
  const late = `sh -c 'until [ -e ${gate} ]; do sleep 0.02; done' & exit 3`;
  const task = await session.spawn(late, { leftovers: 'wait' });
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
  await session.close();
  const later = await world.session();
  assert.equal(later.task(task.id).snapshot().status, 'running');
  assert.deepEqual(await later.pending(), []);
  writeFileSync(gate, '');
  assert.equal((await later.task(task.id).wait()).exitCode, 3);
});

test('leftovers "wait": kill ends the wait and the leftovers', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${away}sleep 1000 & exit 3`, { leftovers: 'wait' });
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
  const end = await task.kill();
  assert.deepEqual([isEnded(end.status), end.exitCode, end.leftovers], [true, 3, []]);
  assert.deepEqual(world.pidsOf(task.id, end.pid ?? 0), []);
});

test('leftovers "wait": the timeout ends the wait and the leftovers', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${away}sleep 1000 & exit 3`, {
    leftovers: 'wait',
    timeoutMs: onWindows ? 3_000 : 500,
  });
  const end = await task.wait({ timeoutMs: 10_000 });
  assert.deepEqual([isEnded(end.status), end.leftovers], [true, []]);
  assert.deepEqual(world.pidsOf(task.id, end.pid ?? 0), []);
});
