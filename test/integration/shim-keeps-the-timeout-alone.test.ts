import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore, type Task } from '../../src/index.ts';
import { factOf, hasFact } from '../support/logs.ts';
import { type ShimShell, shimShells, withoutProc } from '../support/shim-shells.ts';
import { fixture, World, waitFor } from '../support/world.ts';
import { zombiesOf } from '../support/zombies.ts';

const shells = Object.entries(shimShells).flatMap(([name, shell]): [string, ShimShell][] => [
  [name, shell],
  [`${name} without /proc`, withoutProc(shell)],
]);

/** They mostly sleep, so they do it at the same time, in one store. */
const parallel = { concurrency: true };

test('without any supervisor the shim ends a task that runs out of time', parallel, async (t) => {
  await using world = new World();
  const runs = shells.map(([name, shimShell]) =>
    t.test(`under ${name}`, async () => await runsOutOfTime(world, name, shimShell)),
  );
  await Promise.all(runs);
});

async function runsOutOfTime(world: World, name: string, shimShell: ShimShell): Promise<void> {
  const store = await openStore({ dir: world.dir, shimShell, keeper: false });
  const session = await store.session(name);
  // The first one starts before there is a lifeline, so its timer sleeps from the start; the others' wait.
  const commands = ['echo ready; sleep 1000', fixture('handles-sigterm.sh'), fixture('ignores-sigterm.sh')];
  const options = { timeoutMs: 2500, graceMs: 1000 };
  const tasks = await Promise.all(commands.map((command) => session.spawn(command, options)));
  const [plain, handling, stubborn] = tasks as [Task, Task, Task];
  const groups = tasks.map((task) => task.snapshot().pid ?? 0);
  await store.close();

  await waitFor(() => tasks.every((task, n) => world.pidsOf(task.id, groups[n]).length === 0), 'the end');
  await using later = await openStore({ dir: world.dir });
  const session2 = await later.session(name);
  for (const task of tasks) {
    const { status, statusReason, exitCode, leftovers } = session2.task(task.id).snapshot();
    assert.deepEqual([status, statusReason, exitCode, leftovers], ['timed_out', 'timeout', 124, []]);
    assert.equal(factOf(world.logOf(task.id), 'stop').by ?? null, null);
  }
  assert.equal((await session2.task(plain.id).read()).text, 'ready\n');
  assert.equal(factOf(world.logOf(plain.id), 'exit').code, 143);
  assert.equal((await session2.task(handling.id).read()).text, 'ready\nsaved\n');
  assert.equal(factOf(world.logOf(handling.id), 'exit').code, 7);
  assert.equal((await session2.task(stubborn.id).read()).text, 'ready\n');
  assert.ok(!hasFact(world.logOf(stubborn.id), 'exit'));
}

test('a task that ends in time after its supervisor has gone leaves no timer behind', parallel, async (t) => {
  await using world = new World();
  const runs = shells.map(([name, shimShell]) =>
    t.test(`under ${name}`, async () => {
      const store = await openStore({ dir: world.dir, shimShell, keeper: false });
      const session = await store.session(name);
      const tasks = [await session.spawn('sleep 0.5; exit 3'), await session.spawn('sleep 0.5; exit 4')];
      const groups = tasks.map((task) => task.snapshot().pid ?? 0);
      await store.close();
      await waitFor(() => tasks.every((task, n) => world.pidsOf(task.id, groups[n]).length === 0), 'the end');
      assert.deepEqual(groups.flatMap(zombiesOf), []);
      await using later = await openStore({ dir: world.dir });
      const ended = await (await later.session(name)).tasks();
      assert.deepEqual(ended.map((snapshot) => snapshot.exitCode).sort(), [3, 4]);
    }),
  );
  await Promise.all(runs);
});
