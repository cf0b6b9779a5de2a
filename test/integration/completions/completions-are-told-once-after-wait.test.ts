import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World, waitFor } from '../../support/world.ts';

test('after wait() has returned the result, no consumer is told of it', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  const waited = await session.spawn('sleep 0.5');
  assert.equal((await waited.wait()).delivered, true);
  const told = await session.spawn('true');
  await waitFor(() => taker.taken.length > 0, 'a completion');
  assert.deepEqual(taker.ids, [told.id]);
  assert.deepEqual(
    (await (await world.session()).pending()).map(({ taskId }) => taskId),
    [told.id],
  );
});

test(
  'after run() has returned the result, no consumer is told of it, however soon the command ends',
  notOnWindows('strace delays the parent'),
  async () => {
    await using world = new World();
    // A slow disk: the command has ended before its record is safe.
    const delay = ['--seccomp-bpf', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=300ms'];
    const before = ['strace', '-f', '-qq', '-o', '/dev/null', ...delay];
    await using agent = await Agent.start(world.dir, { before });
    await agent.takeCompletions();
    const delivered = await agent.run(async ({ session }) => {
      const { snapshot } = await session.run('true', { timeoutMs: null });
      return snapshot.delivered;
    });
    assert.equal(delivered, true);
    const told = await agent.run(
      async ({ session }) => (await session.spawn('true', { timeoutMs: null })).id,
    );
    await waitFor(async () => (await agent.taken()).length > 0, 'a completion');
    assert.deepEqual(
      (await agent.taken()).map(({ taskId }) => taskId),
      [told],
    );
  },
);

test('a wait that does not acknowledge leaves the completion pending', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  const task = await session.spawn('sleep 0.5');
  assert.equal((await task.wait({ ack: false })).delivered, false);
  await waitFor(() => taker.taken.length > 0, 'the completion');
  assert.deepEqual(taker.ids, [task.id]);
  assert.equal((await task.wait({ ack: false })).delivered, false);
  assert.equal((await task.wait()).delivered, true);
  assert.deepEqual(await session.pending(), []);
});

test('a wait that runs out of time leaves the completion pending', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.5');
  assert.match((await task.wait({ timeoutMs: 1 })).status, /^(starting|running)$/);
  await using taker = new Taker(session);
  await waitFor(() => taker.taken.length > 0, 'the completion');
  assert.deepEqual(taker.ids, [task.id]);
});
