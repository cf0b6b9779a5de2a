import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

/** Wine takes half a second for each. */
const many = onWindows ? 6 : 20;

const exclusive = { exclusive: true };

test('each completion goes to one of two exclusive consumers in two stores of one process', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  await using ours = new Taker(session, exclusive, (completion) => completion.ack());
  await using theirs = new Taker(other, exclusive, (completion) => completion.ack());
  const tasks = await Promise.all(Array.from({ length: many }, () => session.spawn('sleep 0.05')));
  await waitFor(() => ours.taken.length + theirs.taken.length >= many, 'all completions');
  await waitFor(async () => (await session.pending()).length === 0, 'all to be acknowledged');
  assert.deepEqual([...ours.ids, ...theirs.ids].sort(), tasks.map((task) => task.id).sort());
});

test('each completion goes to one of two exclusive consumers in two processes', async () => {
  await using world = new World();
  const session = await world.session();
  await using agent = await Agent.start(world.dir);
  await agent.run(({ session: theirSession, kept }) => {
    const taken: string[] = [];
    kept.taken = taken;
    const take = async (): Promise<void> => {
      for await (const completion of theirSession.completions({ exclusive: true })) {
        taken.push(completion.taskId);
        await completion.ack();
      }
    };
    take().catch(console.error);
  });
  await using ours = new Taker(session, exclusive, (completion) => completion.ack());
  const tasks = await Promise.all(Array.from({ length: many }, () => session.spawn('sleep 0.05')));
  const theirs = async () => await agent.run(({ kept }) => kept.taken as string[]);
  await waitFor(async () => ours.ids.length + (await theirs()).length >= many, 'all completions');
  await waitFor(async () => (await session.pending()).length === 0, 'all to be acknowledged');
  assert.deepEqual([...ours.ids, ...(await theirs())].sort(), tasks.map((task) => task.id).sort());
});

test('a claim keeps a completion from other exclusive consumers until the claim is given back', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const holder = session.completions(exclusive);
  const task = await session.spawn('true');
  assert.equal((await holder.next()).value?.taskId, task.id);
  await using waiting = new Taker(other, exclusive);
  const unrelated = await session.spawn('true');
  await waitFor(() => waiting.taken.length === 1, 'the completion that nobody has claimed');
  assert.deepEqual(waiting.ids, [unrelated.id]);
  await holder.return();
  await waitFor(() => waiting.taken.length === 2, 'the completion that was given back');
  assert.deepEqual(waiting.ids, [unrelated.id, task.id]);
});

test('the claim of a dead process is void', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }) => {
    await session.spawn('exit 4', { timeoutMs: null });
    const { value } = await session.completions({ exclusive: true }).next();
    return value?.taskId;
  });
  await using taker = new Taker(await world.session(), exclusive);
  await agent.crash();
  await waitFor(() => taker.taken.length === 1, 'the completion');
  assert.deepEqual([taker.ids, taker.taken[0]?.exitCode], [[taskId], 4]);
  assert.equal(await taker.taken[0]?.ack(), true);
});
