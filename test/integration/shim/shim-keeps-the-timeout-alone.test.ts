import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore, type Task } from '../../../src/index.ts';
import { factOf } from '../../support/logs.ts';
import { untilOver, untilStarted } from '../../support/ready.ts';
import { fixture, World } from '../../support/world.ts';
import { zombiesOf } from '../../support/zombies.ts';

test('without a supervisor the shim ends tasks that run out of time', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  const session = await store.session('test');
  const commands = ['echo ready; sleep 1000', fixture('handles-sigterm.sh'), fixture('ignores-sigterm.sh')];
  const options = { timeoutMs: 2500, graceMs: 1000 };
  const tasks = await Promise.all(commands.map((command) => session.spawn(command, options)));
  const [plain, handling, stubborn] = tasks as [Task, Task, Task];
  await store.close();

  await untilOver(world, ...tasks.map(({ id }) => id));
  const later = await world.session();
  for (const task of tasks) {
    const { status, statusReason, exitCode, leftovers } = later.task(task.id).snapshot();
    assert.deepEqual([status, statusReason, exitCode, leftovers], ['timed_out', 'timeout', 124, []]);
    assert.equal(factOf(world.logOf(task.id), 'stop').by ?? null, null, 'the shim did it');
  }
  assert.equal((await later.task(plain.id).read()).text, 'ready\n');
  assert.equal((await later.task(handling.id).read()).text, 'ready\nsaved\n');
  assert.equal(factOf(world.logOf(handling.id), 'exit').code, 7);
  assert.equal((await later.task(stubborn.id).read()).text, 'ready\n');
});

test('a task that ends in time without a supervisor leaves no process', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  const session = await store.session('test');
  const tasks = [await session.spawn('sleep 0.5; exit 3'), await session.spawn('sleep 0.5; exit 4')];
  await untilStarted(world, ...tasks.map(({ id }) => id));
  const groups = tasks.map((task) => task.snapshot().pid ?? 0);
  await store.close();
  await untilOver(world, ...tasks.map(({ id }) => id));
  assert.deepEqual(groups.flatMap(zombiesOf), []);
  const ended = await (await world.session()).tasks();
  assert.deepEqual(ended.map((snapshot) => snapshot.exitCode).sort(), [3, 4]);
});
