import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { hasFact } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { untilOver, untilStarted } from '../../support/ready.ts';
import { fixture, World } from '../../support/world.ts';

test('a task that is bound to its agent ends when the agent is killed, without a supervisor', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const [bound, free] = await agent.run(
    async ({ session }, command) => [
      (await session.spawn(command, { bindTo: { pid: process.pid }, graceMs: 100 })).id,
      (await session.spawn('sleep 1000')).id,
    ],
    fixture('ignores-sigterm-tree.sh'),
  );
  await untilStarted(world, bound ?? '');
  await agent.crash();
  await untilOver(world, bound ?? '');
  assert.ok(!hasFact(world.logOf(free ?? ''), 'stop'), 'what is not bound goes on');
  const task = (await world.session()).task(bound ?? '');
  const { status, statusReason } = await task.wait();
  assert.deepEqual([status, statusReason], ['killed', 'bound']);
});

test(
  'a task is stopped when the process it is bound to is gone or a zombie',
  notOnWindows('there are no zombies'),
  async () => {
    await using world = new World();
    const session = await world.session();
    // It becomes a zombie: its parent, sleep, does not care for it.
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const task = await session.spawn('sleep 1000', { bindTo: { pid: Number(line) }, graceMs: 100 });
    const end = await task.wait({ timeoutMs: 15_000 });
    parent.kill('SIGKILL');
    assert.deepEqual([end.status, end.statusReason], ['killed', 'bound']);
  },
);

test(
  'a task can be bound to pid 1, which in a container may be its agent',
  notOnWindows('no process has the pid 1'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('sleep 0.2', { bindTo: { pid: 1 } });
    const { status, statusReason } = await task.wait();
    assert.deepEqual([status, statusReason], ['completed', null]);
  },
);

test('a bound task runs while its process lives, also without a supervisor', async () => {
  await using world = new World();
  const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const gone = once(other, 'exit');
  const store = await openStore({ dir: world.dir });
  const session = await store.session('test');
  const task = await session.spawn('sleep 1000', { bindTo: { pid: process.pid } });
  const marker = await session.spawn('sleep 1000', { bindTo: { pid: other.pid ?? 0 }, graceMs: 100 });
  await untilStarted(world, task.id, marker.id);
  await store.close();
  // That one task ends shows that bonds are looked at.
  other.kill('SIGKILL');
  await gone;
  await untilOver(world, marker.id);
  assert.notDeepEqual(world.pidsOf(task.id), []);
  assert.ok(!hasFact(world.logOf(task.id), 'stop'));
});

test('session.end() stops what is bound to the session, and nothing else', async () => {
  await using world = new World();
  const session = await world.session();
  const bound = await session.spawn('sleep 1000', { bindTo: 'session' });
  const toProcess = await session.spawn('sleep 1000', { bindTo: { pid: process.pid } });
  const free = await session.spawn('sleep 1000');
  const other = await (await world.session('other')).spawn('sleep 1000', { bindTo: 'session' });
  await untilStarted(world, toProcess.id, free.id, other.id);
  const ended = await session.end({ graceMs: 100 });
  assert.deepEqual(
    ended.map(({ taskId, status, statusReason }) => [taskId, status, statusReason]),
    [[bound.id, 'killed', 'bound']],
  );
  for (const task of [toProcess, free, other]) assert.equal(task.snapshot().status, 'running');
  assert.deepEqual(await session.end(), []);
  await assert.rejects(session.end({ graceMs: -1 }), { code: 'INVALID_ARGUMENT' });
  assert.equal((await session.pending()).length, 1, 'it is told like any other end');
});

test('another process ends a session that it has opened later', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(
    async ({ session }) => (await session.spawn('sleep 1000', { bindTo: 'session' })).id,
  );
  const session = await world.session();
  const [ended] = await session.end();
  assert.deepEqual([ended?.taskId, ended?.statusReason], [taskId, 'bound']);
});

test('an invalid bindTo is refused before anything is made', async () => {
  await using world = new World();
  const session = await world.session();
  const ended = spawn('true');
  await once(ended, 'exit');
  const wrong = [{ pid: ended.pid ?? 0 }, { pid: 0 }, { pid: 1.5 }, {}, 'task', 7, null];
  for (const bindTo of wrong) {
    await assert.rejects(session.spawn('true', { bindTo: bindTo as never }), { code: 'INVALID_ARGUMENT' });
  }
  assert.deepEqual(world.taskIds(), []);
});
