import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isEnded, OutliveError, openStore } from '../../../src/index.ts';
import { yieldToOthers } from '../../../src/util/wait.ts';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

const isClosed = (error: unknown): boolean => error instanceof OutliveError && error.code === 'CLOSED';

test('tasks go on after close(), and the next process that opens the session gets them', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const command = `while [ ! -e ${world.base}/go ]; do sleep 0.02; done; exit 6`;
  const task = await session.spawn(command);
  const waiting = task.wait();
  const iteration = session.completions().next();
  const refused = assert.rejects(waiting, isClosed);
  await store.close();
  await refused;
  assert.equal((await iteration).done, true);
  await untilStarted(world, task.id);
  assert.notDeepEqual(world.pidsOf(task.id), []);
  await assert.rejects(session.spawn('true'), isClosed);
  await assert.rejects(task.kill(), isClosed);
  await store.close();

  const again = await world.session();
  assert.equal(again.task(task.id).snapshot().status, 'running');
  writeFileSync(`${world.base}/go`, '');
  assert.equal((await again.task(task.id).wait()).exitCode, 6);
});

test('a task that ends between close() and the next opening keeps its exit code', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.2; exit 9');
  await session.close();
  await waitFor(() => world.pids().length === 0, 'the command to end, and its shim');
  const pending = await (await world.session()).takePending();
  assert.deepEqual(
    pending.map(({ taskId, exitCode }) => ({ taskId, exitCode })),
    [{ taskId: task.id, exitCode: 9 }],
  );
});

test('close() waits for a stop that is in progress', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'));
  await untilPrinted(task);
  const killed = task.kill({ graceMs: 200 });
  await session.close();
  assert.deepEqual(world.pidsOf(task.id), []);
  await killed.catch(() => undefined);
  assert.equal((await world.session()).task(task.id).snapshot().status, 'killed');
});

test(
  'shutdown() stops every task of the session, adopted ones too, and none of another',
  notOnWindows('setsid makes its trees'),
  async () => {
    await using world = new World();
    await using agent = await Agent.start(world.dir);
    const adopted = await agent.run(
      async ({ session }, text) => (await session.spawn(text)).id,
      fixture('ignores-sigterm-tree.sh'),
    );
    await agent.crash();
    const store = await world.store();
    const session = await store.session('test');
    const stranger = await (await store.session('other')).spawn('sleep 300');
    const own = await session.spawn(fixture('setsid-member.sh'));
    const ended = await session.spawn('exit 0');
    await ended.wait();
    for (const task of [own, session.task(adopted)]) await untilPrinted(task);
    const stopped = await session.shutdown({ graceMs: 200 });
    assert.deepEqual(stopped.map(({ taskId }) => taskId).sort(), [own.id, adopted].sort());
    for (const { status, statusReason } of stopped) {
      assert.deepEqual({ status, statusReason }, { status: 'killed', statusReason: 'shutdown' });
    }
    assert.ok((await session.tasks()).every(({ status }) => isEnded(status)));
    for (const id of [own.id, adopted]) assert.deepEqual(world.pidsOf(id), []);
    assert.equal(ended.snapshot().status, 'completed');
    assert.equal(stranger.snapshot().status, 'running');
    // They are pending like any other end.
    const pending = await session.takePending();
    assert.deepEqual(pending.map(({ taskId }) => taskId).sort(), [own.id, adopted].sort());
  },
);

test('a process that has nothing else to do ends, and its tasks go on', async () => {
  await using world = new World();
  let taskId: string;
  {
    // Disposing of an agent closes its store; that it ends then is the test.
    await using agent = await Agent.start(world.dir);
    taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  }
  await untilStarted(world, taskId);
  assert.notDeepEqual(world.pidsOf(taskId), []);
  const snapshot = await (await world.session()).task(taskId).kill({ graceMs: 1_000 });
  assert.equal(snapshot.status, 'killed');
});

test('a task that another process adds to an open session is seen, and can be stopped, here', async () => {
  await using world = new World();
  const session = await world.session();
  await using agent = await Agent.start(world.dir);
  const [ends, runs] = await agent.run(async (scope) => {
    const tasks = [await scope.session.spawn('exit 2'), await scope.session.spawn('sleep 300')];
    return tasks.map(({ id }) => id);
  });
  for await (const completion of session.completions()) {
    assert.deepEqual([completion.taskId, completion.exitCode], [ends, 2]);
    assert.equal(await completion.ack(), true);
    break;
  }
  assert.equal((await session.task(runs ?? '').kill({ graceMs: 1_000 })).status, 'killed');
  const there = await agent.run(
    async (scope, id) => await scope.session.task(id).wait({ ack: false }),
    runs ?? '',
  );
  assert.equal(there.status, 'killed');
});

test('spawns in progress when their store is closed pass on no closed descriptor', async () => {
  await using world = new World();
  const stranger = join(world.base, 'stranger');
  for (let turns = 0; turns < 10; turns += 1) {
    const store = await openStore({ dir: world.dir });
    const session = await store.session('test');
    await session.run('true');
    const spawns = Promise.allSettled(Array.from({ length: 8 }, async () => await session.spawn('exit 3')));
    for (let turn = 0; turn < turns; turn += 1) await yieldToOthers();
    const closing = store.close();
    // The number that the doorbell had is free now, or one of these has it.
    const strangers = Array.from({ length: (turns % 2) * 40 }, () => openSync(stranger, 'a'));
    for (const spawned of await spawns)
      if (spawned.status === 'rejected') assert.equal(spawned.reason.code, 'CLOSED', spawned.reason);
    await closing;
    for (const fd of strangers) closeSync(fd);
  }
  const session = await world.session('test');
  await waitFor(async () => (await session.tasks()).every(({ status }) => isEnded(status)), 'all ends');
  assert.equal(readFileSync(stranger, 'utf8'), '');
});
