import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { OutliveError } from '../../src/index.ts';
import { Agent } from '../support/agents.ts';
import { overwrite } from '../support/logs.ts';
import { PidNamespace } from '../support/namespaces.ts';
import { untilStarted } from '../support/ready.ts';
import { isLive, World, waitFor } from '../support/world.ts';

const isElsewhere = (error: unknown): boolean =>
  error instanceof OutliveError && error.code === 'TASK_ELSEWHERE';

/** The number of the machine's first pid namespace, the same on all machines. */
const firstNamespace = 'pid:[4026531836]';

test('a task of a container that runs is seen from outside as elsewhere: not judged, not stopped', async () => {
  await using world = new World();
  await using container = await PidNamespace.start();
  await using inside = await Agent.start(world.dir, { before: container.enter });
  const [running = '', ended = ''] = await inside.run(async ({ session }) => {
    const tasks = [await session.spawn('sleep 300'), await session.spawn('exit 3')];
    await tasks[1]?.wait({ ack: false });
    return tasks.map(({ id }) => id);
  });
  await untilStarted(world, running);
  const session = await world.session();
  const task = session.task(running);
  const { status, statusReason } = task.snapshot();
  assert.deepEqual({ status, statusReason }, { status: 'running', statusReason: 'elsewhere' });
  await assert.rejects(task.kill({ graceMs: 0, killSignal: 'SIGKILL' }), isElsewhere);
  assert.deepEqual(await session.shutdown({ graceMs: 0 }), []);
  const [pid] = world.pidsOf(running);
  assert.ok(pid && isLive(pid), 'it runs on');
  // What has ended and says so is known here as well.
  assert.equal(session.task(ended).snapshot().exitCode, 3);
  assert.deepEqual(
    (await session.drain()).map(({ taskId }) => taskId),
    [ended],
  );

  // The same agent still has it, and stops it from inside.
  const killed = await inside.run(({ session: own }, id) => own.task(id).kill({ graceMs: 1_000 }), running);
  assert.equal(killed.status, 'killed');
  assert.equal(task.snapshot().status, 'killed');
});

test('the tasks of a container that was started again are lost, container_restarted', async () => {
  await using world = new World();
  let taskId: string;
  {
    await using container = await PidNamespace.start();
    await using agent = await Agent.start(world.dir, { before: container.enter });
    taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
    await untilStarted(world, taskId);
    await agent.crash();
    assert.equal((await world.session()).task(taskId).snapshot().statusReason, 'elsewhere');
    await container.end();
  }
  assert.deepEqual(world.pidsOf(taskId), []);
  await using again = await PidNamespace.start();
  await using agent = await Agent.start(world.dir, { before: again.enter });
  const snapshot = await agent.run(
    async ({ session }, id) => await session.task(id).wait({ ack: false }),
    taskId,
  );
  assert.equal(snapshot.status, 'lost');
  assert.equal(snapshot.statusReason, 'container_restarted');
  assert.equal(snapshot.exitCode, null);
  // Whoever had the session open outside learns it from the record.
  const session = await world.session();
  await waitFor(async () => (await session.pending()).length === 1, 'the completion outside');
  assert.equal(session.task(taskId).snapshot().status, 'lost');
});

test('a task of the machine itself is elsewhere when seen from a container', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 300');
  await waitFor(() => task.snapshot().status === 'running', 'the start');
  // The tests may run in a container themselves.
  const own = readlinkSync('/proc/self/ns/pid');
  overwrite(world.logOf(task.id), own, firstNamespace);
  await using container = await PidNamespace.start();
  await using inside = await Agent.start(world.dir, { before: container.enter });
  const seen = await inside.run(({ session: theirs }, id) => theirs.task(id).snapshot(), task.id);
  assert.deepEqual([seen.status, seen.statusReason], ['running', 'elsewhere']);
  const kill = inside.run(({ session: theirs }, id) => theirs.task(id).kill({ graceMs: 0 }), task.id);
  await assert.rejects(kill, { code: 'TASK_ELSEWHERE' });
  assert.deepEqual(await inside.run(({ session: theirs }) => theirs.pending()), []);
  overwrite(world.logOf(task.id), firstNamespace, own);
  await task.kill({ graceMs: 1_000 });
});

test("elsewhere: 'lost' calls a task lost that runs in another container", async () => {
  await using world = new World();
  await using container = await PidNamespace.start();
  await using inside = await Agent.start(world.dir, { before: container.enter });
  const taskId = await inside.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  await untilStarted(world, taskId);
  const [pid = 0] = world.pidsOf(taskId);
  for (const store of [{ elsewhere: 'lost' as const }, {}]) {
    const env = store.elsewhere === undefined ? { OUTLIVE_ELSEWHERE: 'lost' } : {};
    await using agent = await Agent.start(world.dir, { store, env });
    const snapshot = await agent.run(({ session }, id) => session.task(id).kill({ graceMs: 0 }), taskId);
    assert.deepEqual([snapshot.status, snapshot.statusReason], ['lost', 'elsewhere']);
    assert.ok(isLive(pid), 'nothing of it is touched');
  }
});
