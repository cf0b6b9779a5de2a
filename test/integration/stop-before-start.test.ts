import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { commandLineOf, onWindows } from '../support/processes.ts';
import { ShimInPlace, slowShim } from '../support/shims.ts';
import { World, waitFor } from '../support/world.ts';

const command = 'echo ran; sleep 300';

test(
  'kill() of a task whose shim has not said yet that it runs keeps the command from running',
  notOnWindows('a shim of Windows says nothing of itself: its spawner does, before it runs'),
  async () => {
    await using world = new World();
    using _ = new ShimInPlace(slowShim(world));
    const session = await world.session();
    const task = await session.spawn(command);
    assert.equal(task.snapshot().status, 'starting');
    const snapshot = await task.kill({ graceMs: 1_000 });
    assert.deepEqual(world.pidsOf(task.id), []);
    assert.deepEqual([snapshot.status, snapshot.statusReason], ['killed', 'kill']);
    assert.deepEqual(task.snapshot(), snapshot);
    assert.equal((await task.tail()).text, '');
    assert.deepEqual(
      (await session.drain()).map(({ taskId }) => taskId),
      [task.id],
    );
  },
);

test(
  'kill() of a task that its dead spawner has just started keeps the command from running',
  notOnWindows('a shim of Windows says nothing of itself: its spawner does, before it runs'),
  async () => {
    await using world = new World();
    await using agent = await Agent.start(world.dir, { env: { OUTLIVE_SHIM: slowShim(world) } });
    const taskId = await agent.run(async ({ session }, text) => (await session.spawn(text)).id, command);
    await agent.crash();
    const session = await world.session();
    const snapshot = await session.task(taskId).kill({ graceMs: 100 });
    assert.deepEqual(world.pidsOf(taskId), []);
    assert.equal(snapshot.status, 'killed');
    assert.equal((await session.task(taskId).tail()).text, '');
  },
);

// The spawner lives, and might be at work on it yet: only what is seen of the shim tells that it never will run.
test(
  'kill() of a starting task that its spawner has let go of does not wait for a start that cannot come',
  notOnWindows('a shim of Windows says nothing of itself: its spawner does, before it runs'),
  async () => {
    await using world = new World();
    using _ = new ShimInPlace(slowShim(world));
    const first = await world.session();
    const { id } = await first.spawn(command);
    await waitFor(() => world.pidsOf(id).some((pid) => commandLineOf(pid)?.startsWith('sleep')), 'the pause');
    await first.close();
    const task = (await world.session()).task(id);
    assert.equal(task.snapshot().status, 'starting');
    const killed = task.kill({ graceMs: 5_000 });
    await waitFor(() => task.snapshot().endedAt !== null, 'the end');
    assert.equal((await killed).status, 'killed');
    assert.equal(task.snapshot().status, 'killed');
    assert.deepEqual(world.pidsOf(id), []);
    assert.equal((await task.tail()).text, '');
  },
);

test('kill() right after spawn() has ended the task when it returns', async () => {
  await using world = new World();
  const session = await world.session();
  const once = async (i: number): Promise<void> => {
    const task = await session.spawn('sleep 300');
    const snapshot = await task.kill(i % 2 === 0 ? { graceMs: 5_000 } : { killSignal: 'SIGKILL' });
    assert.equal(snapshot.status, 'killed');
    assert.equal(task.snapshot().status, 'killed');
    assert.deepEqual(world.pidsOf(task.id, snapshot.pid ?? undefined), []);
  };
  for (let i = 0; i < (onWindows ? 2 : 10); i += 1) await Promise.all([once(i), once(i + 1), once(i + 2)]);
});
