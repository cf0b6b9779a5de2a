import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { appendFacts, factOf } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { checkOrder, endOf, startOrder, tracing } from '../../support/queues.ts';
import { World, waitFor } from '../../support/world.ts';

/** Wine takes half a second for each. */
const many = onWindows ? 12 : 200;

test(`${many} tasks through 4 slots keep their order and lose nothing when their spawner is killed in the middle`, async () => {
  await using world = new World();
  const trace = `${world.base}/trace`;
  writeFileSync(trace, '');
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 4 } });
  const commands = Array.from({ length: many }, (_none, index) => tracing(trace, index, ':'));
  const ids = await agent.run(async ({ session }, all) => {
    const tasks = await Promise.all(all.map((command) => session.spawn(command, { onLimit: 'queue' })));
    return tasks.map(({ id }) => id);
  }, commands);
  await waitFor(() => readFileSync(trace, 'utf8').split('\n').length > many / 5, 'some to have ended');
  await agent.crash();
  const session = await world.session('test');
  const ends = await Promise.all(ids.map((id) => endOf(session.task(id))));
  assert.deepEqual([...new Set(ends.map(({ status }) => status))], ['completed']);
  const { order, mostAtOnce } = startOrder(readFileSync(trace, 'utf8'));
  assert.equal(new Set(order).size, many);
  assert.equal(order.length, many, 'each ran once');
  assert.ok(mostAtOnce <= 4, `${mostAtOnce} at once`);
  checkOrder(ids.map((id) => world.logOf(id)));
});

test('a queued task starts with the environment of its spawner, even if that is dead by then', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 1 } });
  const [first = '', second = ''] = await agent.run(async ({ session }) => {
    const running = await session.spawn('sleep 100');
    const env = { SECRET_OF_ITS_OWN: 'hunter2' };
    const waiting = await session.spawn('echo "$SECRET_OF_ITS_OWN"', { onLimit: 'queue', env });
    return [running.id, waiting.id];
  });
  await agent.crash();
  assert.ok(!readFileSync(world.logOf(second), 'utf8').includes('hunter2'));
  const session = await world.session('test');
  const task = session.task(second);
  assert.equal(task.snapshot().status, 'queued');
  await session.task(first).kill({ graceMs: 0 });
  await endOf(task);
  assert.equal((await task.tail()).text, 'hunter2\n');
});

test('a task whose turn came just before its supervisor died, and which was not woken, starts', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 1 } });
  const ids = await agent.run(async ({ session }) => {
    const running = await session.spawn('sleep 100');
    return [running.id, (await session.spawn('true', { onLimit: 'queue' })).id];
  });
  await agent.crash();
  const log = world.logOf(ids[1] ?? '');
  appendFacts(log, { fact: 'turn', by: factOf(log, 'spec').by, at: Date.now() });
  const session = await world.session('test');
  assert.equal((await endOf(session.task(ids[1] ?? ''))).status, 'completed');
});

test('two processes that watch one session start each queued task once, and not more than the limit allows', async () => {
  await using world = new World();
  const trace = `${world.base}/trace`;
  const session = await world.session('test', { maxRunning: 2 });
  await using other = await Agent.start(world.dir);
  const some = onWindows ? 8 : 20;
  const tasks = await Promise.all(
    Array.from({ length: some }, (_none, index) =>
      session.spawn(tracing(trace, index, ':'), { onLimit: 'queue' }),
    ),
  );
  for (const task of tasks) assert.equal((await endOf(task)).status, 'completed');
  const { order, mostAtOnce } = startOrder(readFileSync(trace, 'utf8'));
  assert.deepEqual([order.length, new Set(order).size], [some, some]);
  assert.ok(mostAtOnce <= 2, `${mostAtOnce} at once`);
  assert.equal(await other.run(async ({ session: theirs }) => (await theirs.tasks()).length), some);
});
