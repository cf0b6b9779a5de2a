import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Taker } from '../../support/completions.ts';
import { World } from '../../support/world.ts';

test('the first of several tasks with an event is reported, with the present state of all others', async () => {
  await using world = new World();
  const session = await world.session();
  const slow = await session.spawn('exec sleep 1000');
  const ready = await session.spawn('sleep 0.1; echo ready; exec sleep 1000');
  const { first, snapshots } = await session.waitAny([slow, ready.id], { pattern: 'ready' });
  assert.deepEqual([first?.cause, first?.snapshot.taskId, first?.match?.offset], ['pattern', ready.id, 0]);
  assert.deepEqual(
    snapshots.map(({ taskId }) => taskId),
    [slow.id, ready.id],
  );
  assert.equal((await session.waitAny([slow], { timeoutMs: 20 })).first, null);
});

test('one of several tasks that end together is reported and acknowledged, and the others stay pending', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'while [ ! -e go ]; do sleep 0.01; done';
  const tasks = await Promise.all(
    ['a', 'b', 'c', 'd'].map(() => session.spawn(command, { cwd: world.base })),
  );
  await using taker = new Taker(session);
  const waiting = session.waitAny(tasks);
  await session.run('touch go', { cwd: world.base });
  const { first } = await waiting;
  assert.deepEqual([first?.cause, first?.snapshot.delivered], ['exit', true]);
  for (const task of tasks) await task.wait({ ack: false });
  const expected = tasks.map(({ id }) => id).filter((id) => id !== first?.snapshot.taskId);
  const pending = (await session.pending()).map(({ taskId }) => taskId);
  assert.deepEqual(pending.sort(), expected.sort());
  assert.equal(taker.ids.includes(first?.snapshot.taskId ?? ''), false);
});

test('a wait for all reports each end, and acknowledges them only at the end', async () => {
  await using world = new World();
  const session = await world.session();
  const tasks = [
    await session.spawn('exit 3'),
    await session.spawn(`until [ -e '${world.base}/go' ]; do sleep 0.01; done; echo ready; exec sleep 1000`),
    await session.spawn('sleep 0.1'),
  ];
  const early = session.waitAll(tasks, { pattern: 'ready', abortSignal: AbortSignal.timeout(1) });
  await assert.rejects(early, { name: 'TimeoutError' });
  writeFileSync(`${world.base}/go`, '');
  const results = await session.waitAll(tasks, { pattern: 'ready' });
  assert.deepEqual(
    results.map(({ cause, snapshot }) => [cause, snapshot.taskId, snapshot.delivered]),
    [
      ['exit', tasks[0]?.id, true],
      ['pattern', tasks[1]?.id, false],
      ['exit', tasks[2]?.id, true],
    ],
  );
  assert.deepEqual(await session.pending(), []);
  const two = await session.waitAll([tasks[0] ?? '', tasks[1] ?? ''], { timeoutMs: 20 });
  assert.deepEqual(
    two.map(({ cause }) => cause),
    ['exit', 'timeout'],
  );
});

test('an empty list and missing tasks are refused', async () => {
  await using world = new World();
  const session = await world.session();
  await assert.rejects(session.waitAny([]), { code: 'INVALID_ARGUMENT' });
  assert.deepEqual(await session.waitAll([]), []);
  await assert.rejects(session.waitAny(['bgb-000000000000']), { code: 'TASK_NOT_FOUND' });
  await assert.rejects(session.waitAll(['bgb-000000000000']), { code: 'TASK_NOT_FOUND' });
});
