import assert from 'node:assert/strict';
import { readlinkSync, truncateSync } from 'node:fs';
import { test } from 'node:test';
import { OutliveError } from '../../../src/index.ts';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { appendFacts, factOf, factsOf, overwrite } from '../../support/logs.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

const isElsewhere = (error: unknown): boolean =>
  error instanceof OutliveError && error.code === 'TASK_ELSEWHERE';

/** The number of the machine's first pid namespace, the same on all machines. */
const firstNamespace = 'pid:[4026531836]';

test('a task of a running container is elsewhere when seen from outside: not judged, not stopped', async () => {
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
    (await session.takePending()).map(({ taskId }) => taskId),
    [ended],
  );

  // The same agent still has it, and stops it from inside.
  const killed = await inside.run(({ session: own }, id) => own.task(id).kill({ graceMs: 1_000 }), running);
  assert.equal(killed.status, 'killed');
  assert.equal(task.snapshot().status, 'killed');
});

test('the tasks of a restarted container are lost, container_restarted', async () => {
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

/** A container of this machine's name, and an agent in it. */
async function sandbox(world: World): Promise<{ container: PidNamespace; agent: Agent }> {
  const container = await PidNamespace.start();
  return { container, agent: await Agent.start(world.dir, { before: container.enter }) };
}

test('two sandboxes with one name that do not see each other do not touch each other’s tasks', async () => {
  await using world = new World();
  const [one, other] = [await sandbox(world), await sandbox(world)];
  await using first = one.container;
  await using second = other.container;
  await using agent = one.agent;
  await using stranger = other.agent;
  const spawn = async ({ session }: AgentScope): Promise<string> => (await session.spawn('sleep 300')).id;
  const [here, there] = [await agent.run(spawn), await stranger.run(spawn)];
  await untilStarted(world, here, there);
  const look = async ({ session }: AgentScope, id: string) => {
    const { status, statusReason } = await session.task(id).wait({ timeoutMs: 200 });
    return [status, statusReason, (await session.shutdown({ graceMs: 0 })).map(({ taskId }) => taskId)];
  };
  // What each stops are its own.
  assert.deepEqual(await stranger.run(look, here), ['running', 'elsewhere', [there]]);
  const again = await stranger.run(spawn);
  await untilStarted(world, again);
  assert.deepEqual(await agent.run(look, again), ['running', 'elsewhere', [here]]);
  // When one has ended, the other one sees that from the log alone.
  assert.notEqual(first.pid, second.pid);
  await stranger.crash();
  await second.end();
  const end = await agent.run(async ({ session }, id) => await session.task(id).wait(), again);
  assert.deepEqual([end.status, end.statusReason, end.endedAt], ['lost', 'container_restarted', null]);
});

/** A task that was running when its agent was killed and its container ended; its id. */
async function leftByAContainer(world: World): Promise<string> {
  await using container = await PidNamespace.start();
  await using agent = await Agent.start(world.dir, { before: container.enter });
  const taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  await untilStarted(world, taskId);
  await agent.crash();
  await container.end();
  return taskId;
}

test('a container that returns under another name finds the tasks of its predecessor lost', async () => {
  await using world = new World();
  const taskId = await leftByAContainer(world);
  const name = ['unshare', '--uts', 'sh', '-c', 'hostname next-container; exec "$@"', 'sh'];
  await using again = await PidNamespace.start();
  await using agent = await Agent.start(world.dir, { before: [...again.enter, ...name] });
  const end = await agent.run(async ({ session }, id) => await session.task(id).wait(), taskId);
  assert.deepEqual([end.status, end.statusReason], ['lost', 'container_restarted']);
});

test('an interrupted spawn in a container is given up by the next container, whatever its name', async () => {
  await using world = new World();
  const taskId = await leftByAContainer(world);
  // As if the container had ended before the shim was there.
  const log = world.logOf(taskId);
  const facts = factsOf(log).filter(({ fact }) => fact === 'spec');
  truncateSync(log);
  appendFacts(log, ...facts);
  const { monoMs } = factOf(log, 'spec');
  overwrite(log, `"monoMs":${monoMs}`, `"monoMs":${String(monoMs).replace(/[1-9]/g, '1')}`);
  await using again = await PidNamespace.start();
  await using agent = await Agent.start(world.dir, { before: again.enter });
  const end = await agent.run(async ({ session }, id) => await session.task(id).wait(), taskId);
  assert.deepEqual([end.status, end.statusReason], ['failed', 'spawn_aborted']);
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

test("with elsewhere: 'lost' a task that runs in another container counts as lost", async () => {
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
