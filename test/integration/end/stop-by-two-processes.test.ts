import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factsOf, hasFact } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { untilPrinted } from '../../support/ready.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** A grace that no test waits for. */
const longMs = 600_000;

for (const graceMs of [longMs, 1_000]) {
  test(`the next process continues a stop whose author was killed, with a grace period of ${graceMs} ms`, async () => {
    await using world = new World();
    await using agent = await Agent.start(world.dir);
    const taskId = await agent.run(
      async ({ session }, command) => (await session.spawn(command)).id,
      fixture('ignores-sigterm-tree.sh'),
    );
    const session = await world.session();
    const task = session.task(taskId);
    await untilPrinted(task);
    agent
      .run(async ({ session }, [id, ms]) => await session.task(id).kill({ graceMs: ms, ack: false }), [
        taskId,
        graceMs,
      ] as const)
      .catch(() => undefined);
    await waitFor(() => hasFact(world.logOf(taskId), 'stop'), 'the request to stop');
    await agent.crash();
    // Nobody is given a grace on Windows: it may be over before it is looked at.
    const isStopping = (status: string): boolean =>
      status === 'killing' || (onWindows && status === 'killed');
    await waitFor(() => isStopping(task.snapshot().status), 'the status');
    // What is left of the author's grace counts, unless somebody asks for less.
    if (graceMs === longMs) await task.kill({ graceMs: 50 });
    const snapshot = await task.wait();
    assert.equal(snapshot.status, 'killed');
    assert.equal(snapshot.statusReason, 'kill');
    assert.deepEqual(world.pidsOf(taskId, snapshot.pid ?? undefined), []);
  });
}

test('a process that opens the session after the author of a stop died continues the stop', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }, command) => {
    const task = await session.spawn(command);
    while (!(await task.tail()).text.includes('ready')) await new Promise((next) => setTimeout(next, 5));
    task.kill({ graceMs: 3_000 }).catch(() => undefined);
    return task.id;
  }, fixture('ignores-sigterm-tree.sh'));
  await agent.crash();
  assert.ok(world.pidsOf(taskId).length > 0, 'the task outlives the crash');
  const session = await world.session();
  assert.equal((await session.task(taskId).wait()).status, 'killed');
  assert.deepEqual(world.pidsOf(taskId), []);
});

test('two processes that stop one task at once get one outcome', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const session = await world.session();
  for (const graceMs of [0, 100, 2_000]) {
    const task = await session.spawn(
      fixture(graceMs === 2_000 ? 'setsid-member.sh' : 'ignores-sigterm-tree.sh'),
    );
    await untilPrinted(task);
    const [here, there] = await Promise.all([
      task.kill({ graceMs, ack: false }),
      agent.run(async ({ session }, [id, ms]) => session.task(id).kill({ graceMs: ms, ack: false }), [
        task.id,
        graceMs,
      ] as const),
    ]);
    assert.equal(here.status, 'killed');
    assert.deepEqual(there, here);
    assert.deepEqual(world.pidsOf(task.id, here.pid ?? undefined), []);
    const outcomes = factsOf(world.logOf(task.id)).filter(({ fact }) => fact === 'outcome');
    assert.ok(outcomes.length >= 1);
    assert.deepEqual(
      (await session.takePending()).map(({ taskId }) => taskId),
      [task.id],
    );
  }
});

test('a second process can shorten a stop that another one has begun', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'));
  await untilPrinted(task);
  const slow = task.kill({ graceMs: longMs });
  const fast = await agent.run(async ({ session }, id) => session.task(id).kill({ graceMs: 50 }), task.id);
  assert.equal(fast.status, 'killed');
  assert.equal((await slow).status, 'killed');
});

// In the reference system such a task was reported failed, and "killing" for ever.
test('a task that outlived its agent can be stopped by the next one, and is reported killed', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  await agent.crash();
  const session = await world.session();
  const snapshot = await session.task(taskId).kill();
  assert.equal(snapshot.status, 'killed');
  assert.deepEqual(await session.task(taskId).kill(), snapshot);
  assert.deepEqual(world.pidsOf(taskId, snapshot.pid ?? undefined), []);
});
