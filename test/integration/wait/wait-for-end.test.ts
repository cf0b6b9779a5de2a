import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Taker } from '../../support/completions.ts';
import { World } from '../../support/world.ts';

test('a wait for something that never comes ends with the end of the task', async () => {
  await using world = new World();
  const session = await world.session();
  for (const options of [
    {},
    { exit: true },
    { pattern: 'ready' },
    { port: true },
    { idleMs: 60_000 },
  ] as const) {
    const task = await session.spawn('sleep 0.1; exit 3');
    const { cause, snapshot, match } = await task.waitFor(options);
    assert.deepEqual([cause, snapshot.status, snapshot.exitCode, match], ['exit', 'failed', 3, null]);
    // And so it does who comes later.
    assert.equal((await task.waitFor(options)).cause, 'exit');
  }
});

test('output that was written right before the end is searched before the end is told', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  for (let round = 0; round < 5; round += 1) {
    const task = await session.spawn('sleep 0.05; printf "at last"');
    const waits = [task.waitFor({ pattern: 'at last' }), other.task(task.id).waitFor({ pattern: 'at last' })];
    for (const { cause } of await Promise.all(waits)) assert.equal(cause, 'pattern');
    await task.wait();
    const later = await task.waitFor({ pattern: /last$/ });
    assert.deepEqual([later.cause, later.snapshot.status], ['pattern', 'completed']);
  }
});

test('a wait that reports the end acknowledges it, and then nobody else is told', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  const silent = await session.spawn('sleep 0.1; exit 1');
  const end = await silent.waitFor({ pattern: 'ready', port: true, idleMs: 60_000 });
  assert.deepEqual([end.cause, end.snapshot.delivered], ['exit', true]);
  const ready = await session.spawn('sleep 0.1; echo ready');
  const found = await ready.waitFor({ pattern: 'ready' });
  assert.equal(found.cause, 'pattern');
  const looked = await session.spawn('sleep 0.1');
  const { cause, snapshot } = await looked.waitFor({ pattern: 'ready', ack: false });
  assert.deepEqual([cause, snapshot.delivered], ['exit', false]);
  await ready.wait({ ack: false });
  assert.deepEqual(
    new Set((await session.pending()).map(({ taskId }) => taskId)),
    new Set([ready.id, looked.id]),
  );
  assert.equal(taker.ids.includes(silent.id), false);
});

test('a wait that runs out of time or is aborted leaves the task running, and its completion pending', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  const { cause, snapshot } = await task.waitFor({ pattern: 'ready', port: 9, timeoutMs: 30 });
  assert.equal(cause, 'timeout');
  assert.match(snapshot.status, /starting|running/);
  const reason = new Error('changed my mind');
  const abort = new AbortController();
  const waiting = task.waitFor({ pattern: 'ready', port: true, abortSignal: abort.signal });
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(task.waitFor({ abortSignal: AbortSignal.abort(reason) }), reason);
  await task.kill({ graceMs: 0, ack: false });
  assert.equal((await session.pending()).length, 1);
});

test('a wait fails with CLOSED when the session closes, and with TASK_NOT_FOUND when the record is gone', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  const waiting = task.waitFor({ pattern: 'ready', port: true });
  await Promise.all([assert.rejects(waiting, { code: 'CLOSED' }), session.close()]);
  await assert.rejects(task.waitFor({ pattern: 'x' }), { code: 'CLOSED' });
  const again = await world.session();
  const { task: gone } = await again.run('true');
  await again.prune({ olderThanMs: 0 });
  await assert.rejects(gone.waitFor({ pattern: 'x' }), { code: 'TASK_NOT_FOUND' });
});
