import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError, type Task } from '../../../src/index.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import { Agent } from '../../support/agents.ts';
import { factOf, hasFact, overwrite } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

/** Of no process. */
const otherNamespace = 'pid:[4026530001]';

const otherBoot = '00000000-0000-4000-8000-000000000000';

/** A task that runs, whose spawner is dead, and whose record is then said to come from another boot or host. */
async function foreignTask(
  world: World,
  change: { boot?: string; host?: string; pidNamespace?: string; machine?: string },
): Promise<string> {
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  const log = world.logOf(taskId);
  await waitFor(() => hasFact(log, 'started'), 'the shim to run');
  await agent.crash();
  const { by } = factOf(log, 'spec');
  if (change.pidNamespace !== undefined) overwrite(log, by.pidNamespace, change.pidNamespace);
  if (change.machine !== undefined && by.machine !== undefined) overwrite(log, by.machine, change.machine);
  if (change.boot !== undefined) overwrite(log, by.boot, change.boot);
  if (change.host !== undefined) overwrite(log, `"host":"${by.host}"`, `"host":"${change.host}"`);
  return taskId;
}

const otherMachine = '0'.repeat(32);

/** A name of the same length as this host's. */
const thisHost = (await currentSystem()).self().host;
const otherHost = thisHost.replace(/^./, (letter) => (letter === 'x' ? 'y' : 'x'));

async function assertUntouched(world: World, task: Task): Promise<void> {
  assert.deepEqual([task.snapshot().status, task.snapshot().statusReason], ['running', 'elsewhere']);
  await assert.rejects(
    task.kill({ graceMs: 0 }),
    (error) => error instanceof OutliveError && error.code === 'TASK_ELSEWHERE',
  );
  assert.notDeepEqual(world.pidsOf(task.id), []);
  assert.equal(hasFact(world.logOf(task.id), 'stop'), false);
  assert.equal(hasFact(world.logOf(task.id), 'outcome'), false);
}

const containers = [
  ['another container of this machine', { host: otherHost, pidNamespace: otherNamespace }],
  // Sandboxes have the name of their machine.
  ['a container of this machine that has the same name', { pidNamespace: otherNamespace }],
] as const;

/** Windows tells no machine but by its name. */
const namesakes = ['another machine of the same name', { boot: otherBoot, machine: otherMachine }] as const;

for (const [what, change] of [
  ['another host', { boot: otherBoot, host: otherHost, machine: otherMachine }],
  ...(onWindows ? [] : [...containers, namesakes]),
] as const) {
  test(`a task of ${what} is not judged and not stopped`, async () => {
    await using world = new World();
    const taskId = await foreignTask(world, change);
    const session = await world.session();
    await assertUntouched(world, session.task(taskId));
    const waited = await session.task(taskId).wait({ timeoutMs: 200 });
    assert.equal(waited.status, 'running');
    assert.deepEqual(await session.pending(), []);
  });
}

const renamed = [
  'this machine before it was started again by another name',
  { boot: otherBoot, host: otherHost },
] as const;

for (const [what, change] of [
  ['this host before its last start', { boot: otherBoot }],
  ...(onWindows ? [] : [renamed]),
] as const) {
  test(`a task of ${what} is lost, reboot, and its pid is not signalled`, async () => {
    await using world = new World();
    const taskId = await foreignTask(world, change);
    const session = await world.session();
    const snapshot = await session.task(taskId).wait();
    assert.deepEqual([snapshot.status, snapshot.statusReason], ['lost', 'reboot']);
    assert.equal(snapshot.exitCode, null);
    // By the record these are strangers that have the task's numbers by now.
    await session.task(taskId).kill({ graceMs: 0, killSignal: 'SIGKILL' });
    assert.notDeepEqual(world.pidsOf(taskId), []);
  });
}

test('a task of another host that has ended counts as ended, and its completion is delivered', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exit 3');
  await task.wait({ ack: false });
  await waitFor(() => hasFact(world.logOf(task.id), 'outcome'), 'the outcome');
  overwrite(world.logOf(task.id), `"host":"${thisHost}"`, `"host":"${otherHost}"`);
  const { boot, machine } = factOf(world.logOf(task.id), 'spec').by;
  overwrite(world.logOf(task.id), boot, otherBoot);
  if (machine !== undefined) overwrite(world.logOf(task.id), machine, otherMachine);
  const pending = await (await world.session()).takePending();
  assert.deepEqual(
    pending.map(({ taskId, exitCode }) => ({ taskId, exitCode })),
    [{ taskId: task.id, exitCode: 3 }],
  );
});
