import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { World, waitFor } from '../../support/world.ts';

/** Takes one completion, and ends without acknowledging it. */
async function glance(session: Session): Promise<string> {
  for await (const { taskId } of session.completions()) return taskId;
  return 'the session is closed';
}

test('a completion that was delivered but not acknowledged is delivered again', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('true');
  assert.equal(await glance(session), task.id);
  assert.equal(await glance(session), task.id);
  assert.equal(task.snapshot().delivered, false);
  await session.close();
  const later = await world.session();
  assert.equal(await glance(later), task.id);
  for await (const completion of later.completions()) {
    assert.equal(await completion.ack(), true);
    break;
  }
  assert.equal(task.snapshot().delivered, true);
  assert.deepEqual(await later.pending(), []);
  assert.deepEqual(await (await world.session()).pending(), []);
});

test('a completion is not lost when the process that was told crashes', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }) => {
    await session.spawn('exit 5', { timeoutMs: null });
    for await (const completion of session.completions()) return completion.taskId;
    return '';
  });
  await agent.crash();
  const [pending, ...others] = await (await world.session()).pending();
  assert.deepEqual([pending?.taskId, pending?.exitCode, others.length], [taskId, 5, 0]);
});

test('a task that ended while no process watched is pushed to the next process', async () => {
  await using world = new World();
  const first = await world.session();
  const task = await first.spawn('sleep 0.2; exit 6');
  await first.close();
  await waitFor(() => world.pids().length === 0, 'the end');
  await using taker = new Taker(await world.session());
  await waitFor(() => taker.taken.length > 0, 'the completion');
  assert.deepEqual([taker.taken[0]?.taskId, taker.taken[0]?.exitCode], [task.id, 6]);
});

test('only the first acknowledgement returns true', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const task = await session.spawn('true');
  await task.wait({ ack: false });
  const [ours] = await session.pending();
  await waitFor(async () => (await other.pending()).length === 1, 'the other session to see it');
  const [theirs] = await other.pending();
  assert.equal(await ours?.ack(), true);
  assert.equal(await ours?.ack(), false);
  assert.equal(await theirs?.ack(), false);
  assert.equal(await task.ack(), false);
  assert.equal(await other.task(task.id).ack(), false);
});

test('a task that has not ended cannot be acknowledged, and is told when it ends', async () => {
  await using world = new World();
  // A stop that meets the start ends in other ways than one that comes later.
  for (let round = 0; round < 20; round += 1) {
    const session = await world.session(`round ${round}`);
    const task = await session.spawn('sleep 1000');
    assert.equal(await task.ack(), false);
    await task.kill({ ack: false });
    assert.equal((await session.pending()).length, 1);
  }
});

test('a consumer is not told twice of a completion that it has not acknowledged yet', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  for (let count = 1; count <= 4; count += 1) {
    await session.spawn('true');
    await waitFor(() => taker.taken.length === count, 'one more completion');
  }
  assert.equal(new Set(taker.ids).size, 4);
  assert.equal((await session.pending()).length, 4);
});
