import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasFact } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { checkOrder, endOf, startOrder, tracing } from '../../support/queues.ts';
import { fixture, quote, World, waitFor } from '../../support/world.ts';

/** Wine takes half a second for each. */
const many = onWindows ? 10 : 24;

const library = new URL('../../../src/index.js', import.meta.url).href;

test('tasks over the limit wait their turn, start in their order and never run more than the limit allows', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 3 });
  const trace = `${world.base}/trace`;
  // The first ones wait for each other, so that three run at once on the busiest machine.
  const untilThree = `until [ "$(grep -c start ${quote(trace)})" -ge 3 ]; do sleep 0.01; done`;
  const spawns = Array.from({ length: many }, (_none, index) =>
    session.spawn(tracing(trace, index, untilThree), { onLimit: 'queue' }),
  );
  const tasks = await Promise.all(spawns);
  const ends = await Promise.all(tasks.map((task) => endOf(task)));
  assert.deepEqual([...new Set(ends.map(({ status }) => status))], ['completed']);
  const { order, mostAtOnce } = startOrder(readFileSync(trace, 'utf8'));
  assert.equal(order.length, many);
  assert.equal(mostAtOnce, 3);
  checkOrder(tasks.map(({ id }) => world.logOf(id)));
});

test('below the limit a task that may wait starts at once, without a word about waiting', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const task = await session.spawn('true', { onLimit: 'queue' });
  assert.equal((await endOf(task)).status, 'completed');
  assert.equal(hasFact(world.logOf(task.id), 'waiting'), false);
});

test('a task that may wait does not overtake waiting tasks', async () => {
  await using world = new World();
  const first = await world.session('test', { maxRunning: 1 });
  const running = await first.spawn('sleep 100');
  const waiting = await first.spawn('sleep 100', { onLimit: 'queue' });
  // Another process may have a higher limit, and there a place would be free.
  const second = await world.session('test', { maxRunning: 10 });
  const last = await second.spawn('sleep 100', { onLimit: 'queue' });
  assert.deepEqual([waiting.snapshot().status, last.snapshot().status], ['queued', 'queued']);
  await running.kill({ graceMs: 0 });
  await waitFor(() => waiting.snapshot().status === 'running', 'the first in the queue to start');
  await waitFor(() => last.snapshot().status === 'running', 'the last to start, whose limit is higher');
});

test('a waiting task takes no slot: the limit counts running tasks', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 2 });
  const running = [await session.spawn('sleep 100'), await session.spawn('sleep 100')];
  await session.spawn('true', { onLimit: 'queue' });
  await assert.rejects(session.spawn('true'), {
    code: 'TASK_LIMIT',
    details: { running: running.map(({ id }) => id), maxRunning: 2 },
  });
});

test('a running task may queue tasks in the same session', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const outer = await session.spawn(fixture('queues-a-task.mjs', library, world.dir));
  assert.equal((await endOf(outer)).exitCode, 0, (await outer.tail()).text);
  const inner = (await session.tasks()).find(({ taskId }) => taskId !== outer.id);
  assert.equal((await endOf(session.task(inner?.taskId ?? ''))).status, 'completed');
});
