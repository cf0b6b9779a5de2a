import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('a wait that runs out of time returns the task as it is, and leaves it running', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  for (const timeoutMs of [0, 1, 50]) {
    const { status, exitCode, endedAt, delivered } = await task.wait({ timeoutMs });
    assert.match(status, /^(starting|running)$/);
    assert.deepEqual([exitCode, endedAt, delivered], [null, null, false]);
  }
});

test('aborting a wait rejects with the reason, and leaves the task running and its completion pending', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.5; exit 2');
  const abort = new AbortController();
  const reason = new Error('changed my mind');
  const waiting = task.wait({ abortSignal: abort.signal });
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(task.wait({ abortSignal: AbortSignal.abort(reason) }), reason);
  assert.equal((await task.wait({ ack: false })).exitCode, 2);
  assert.equal((await session.pending()).length, 1);
});

test('several waits get the same end', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const task = await session.spawn('sleep 0.2; exit 9');
  const ends = await Promise.all([
    task.wait(),
    task.wait(),
    session.task(task.id).wait({ ack: false }),
    other.task(task.id).wait(),
  ]);
  for (const end of ends) assert.equal(end.exitCode, 9);
  assert.equal((await task.wait()).exitCode, 9);
  assert.equal(task.snapshot().delivered, true);
});

test('waits fail with CLOSED when the session closes, and so do later ones', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  const waiting = task.wait();
  await Promise.all([assert.rejects(waiting, { code: 'CLOSED' }), session.close()]);
  await assert.rejects(task.wait(), { code: 'CLOSED' });
  await assert.rejects(session.spawn('true'), { code: 'CLOSED' });
});

test('a task whose record was removed is TASK_NOT_FOUND', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('true');
  await session.prune({ olderThanMs: 0 });
  await assert.rejects(task.wait(), { code: 'TASK_NOT_FOUND' });
  assert.throws(() => task.snapshot(), { code: 'TASK_NOT_FOUND' });
  await assert.rejects(task.read(), { code: 'TASK_NOT_FOUND' });
});

test('an invalid time limit is refused', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('true');
  for (const timeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(task.wait({ timeoutMs }), { code: 'INVALID_ARGUMENT' });
  }
});
