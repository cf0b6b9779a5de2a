import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { everything } from '../../support/untidy.ts';
import { World, waitFor } from '../../support/world.ts';

test('a task is stopped without its session, and its end is still pending in that session', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { sessionId: 'theirs' });
  const [id, other] = await agent.run(async ({ session }) => [
    (await session.spawn("trap '' TERM; sleep 1000 & sleep 1000")).id,
    (await session.spawn('sleep 1000')).id,
  ]);
  const store = await world.store();
  const { status, statusReason, leftovers, delivered } = await store.task(id as string).kill({ graceMs: 30 });
  assert.deepEqual([status, statusReason, leftovers, delivered], ['killed', 'kill', [], false]);
  assert.equal(store.task(other as string).snapshot().endedAt, null, 'nothing else is touched');
  await waitFor(
    async () =>
      (
        await agent.run(async ({ session }) => (await session.pending()).map(({ taskId }) => taskId))
      ).includes(id as string),
    'the session to be told',
  );
  assert.equal(await store.task(id as string).ack(), true);
  assert.equal(await store.task(id as string).ack(), false, 'it was acknowledged before');
  assert.deepEqual(await store.pending('theirs'), []);
  await store.task(other as string).kill({ graceMs: 0 });
});

test('an acknowledgement records an unrecorded end, and a running task cannot be acknowledged', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir, { sessionId: 'left' });
  const [id = '', live = ''] = await agent.run(async ({ session }) => [
    (await session.spawn('sleep 0.3; exit 4')).id,
    (await session.spawn('sleep 1000')).id,
  ]);
  await agent.crash();
  const store = await world.store();
  await waitFor(() => store.task(id).snapshot().status === 'failed', 'its end');
  assert.equal(await store.task(id).ack(), true);
  assert.equal(store.task(id).snapshot().delivered, true);
  assert.equal(await store.task(live).ack(), false);
  await store.task(live).kill({ graceMs: 0 });
});

const late = notOnWindows('the wrapper opens its output after its start is recorded');
test(
  'a store that was opened read-only refuses to stop or acknowledge, and nothing changes',
  late,
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('sleep 1000');
    await waitFor(() => task.snapshot().status === 'running', 'its start');
    await session.close();
    const store = await world.store({ readOnly: true });
    const before = everything(world.dir);
    const refused = { code: 'STORE_UNWRITABLE', message: /opened to read/ };
    await assert.rejects(store.task(task.id).kill(), refused);
    await assert.rejects(store.task(task.id).ack(), refused);
    assert.equal(store.task(task.id).snapshot().status, 'running');
    assert.deepEqual(everything(world.dir), before);
    await (await world.store()).task(task.id).kill({ graceMs: 0 });
  },
);
