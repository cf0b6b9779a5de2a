import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

test('a task that another process spawns in an open session is listed, and its completion comes here too', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session: theirs }) => (await theirs.spawn('sleep 0.3; exit 8')).id);
  assert.equal((await session.tasks())[0]?.taskId, taskId);
  assert.equal(session.task(taskId).snapshot().exitCode, null);
  await waitFor(() => taker.taken.length === 1, 'the completion');
  assert.deepEqual([taker.ids, taker.taken[0]?.exitCode], [[taskId], 8]);
});

/** Wine takes half a second for each. */
const some = onWindows ? 4 : 10;

test('one of two processes that are told of a completion wins the acknowledgement', async () => {
  await using world = new World();
  const session = await world.session();
  await using agent = await Agent.start(world.dir);
  await agent.takeCompletions();
  const acks: boolean[] = [];
  await using taker = new Taker(session, {}, async (completion) => acks.push(await completion.ack()));
  for (let count = 0; count < some; count += 1) await (await session.spawn('true')).wait({ ack: false });
  await waitFor(async () => (await session.pending()).length === 0, 'all to be acknowledged');
  await waitFor(() => taker.taken.length === acks.length, 'the last acknowledgement');
  const theirs = (await agent.taken()).filter(({ first }) => first).length;
  assert.equal(acks.filter((first) => first).length + theirs, some);
});

test('if two processes take at the same moment, each completion goes to one of them', async () => {
  await using world = new World();
  const session = await world.session();
  await using agent = await Agent.start(world.dir);
  // Wine takes half a second for each.
  const many = onWindows ? 20 : 60;
  const tasks = await Promise.all(Array.from({ length: many }, () => session.spawn('true', { shell: 'sh' })));
  await Promise.all(tasks.map((task) => task.wait({ ack: false })));
  const pending = async () => await agent.run(async ({ session: theirs }) => (await theirs.pending()).length);
  await waitFor(async () => (await pending()) === many, 'the other process to see them');
  // Both go through them in the same order, so that they meet at many of them.
  const at = Date.now() + 200;
  const there = agent.run(async ({ session: theirs }, begin: number) => {
    while (Date.now() < begin);
    return (await theirs.takePending()).map(({ taskId }) => taskId);
  }, at);
  await new Promise((resolve) => setTimeout(resolve, 50));
  while (Date.now() < at);
  const here = (await session.takePending()).map(({ taskId }) => taskId);
  assert.deepEqual([...here, ...(await there)].sort(), tasks.map((task) => task.id).sort());
});

test('a task of another session is not listed, told or found', async () => {
  await using world = new World();
  const store = await world.store();
  const [mine, yours] = [await store.session('mine'), await store.session('yours')];
  const task = await yours.spawn('true');
  await task.wait({ ack: false });
  assert.deepEqual(await mine.tasks(), []);
  assert.deepEqual(await mine.pending(), []);
  assert.throws(() => mine.task(task.id), { code: 'TASK_NOT_FOUND' });
  assert.throws(() => mine.task('../../x'), { code: 'TASK_NOT_FOUND' });
  assert.equal(store.task(task.id).snapshot().sessionId, 'yours');
  assert.deepEqual(
    (await store.tasks()).map(({ taskId }) => taskId),
    [task.id],
  );
});
