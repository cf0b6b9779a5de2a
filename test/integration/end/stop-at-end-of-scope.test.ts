import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScopedSpawnOptions, ScopedTask } from '../../../src/index.ts';
import { listing } from '../../support/listing.ts';
import { World, waitFor } from '../../support/world.ts';

test('the whole task is stopped at the end of its scope, and its completion stays pending', async () => {
  await using world = new World();
  const session = await world.session();
  let id = '';
  {
    await using task = await session.spawn('sleep 1000 & sleep 1000', { stopAtEndOfScope: true });
    id = task.id;
    await waitFor(() => world.commandPids().length >= 2, 'its processes');
  }
  assert.deepEqual(world.commandPids(), []);
  const { status, statusReason } = session.task(id).snapshot();
  assert.deepEqual([status, statusReason], ['killed', 'kill']);
  assert.deepEqual(
    (await session.pending()).map(({ taskId }) => taskId),
    [id],
  );
});

test('an error in the scope stops the task, too, and is rethrown', async () => {
  await using world = new World();
  const session = await world.session();
  const error = new Error('in the scope');
  const use = async (): Promise<void> => {
    await using task = await session.spawn('sleep 1000', { stopAtEndOfScope: true });
    await waitFor(() => task.snapshot().status === 'running', 'a start');
    throw error;
  };
  await assert.rejects(use(), error);
  assert.deepEqual(world.commandPids(), []);
});

test('a task that has ended before the end of its scope does not change; its leftovers are stopped', async () => {
  await using world = new World();
  const session = await world.session();
  let id = '';
  {
    await using task = await session.spawn('sleep 1000 & exit 3', { stopAtEndOfScope: true });
    id = task.id;
    await task.wait();
  }
  const { status, exitCode } = session.task(id).snapshot();
  assert.deepEqual([status, exitCode], ['failed', 3]);
  await waitFor(() => world.commandPids().length === 0, 'the end of the leftovers');
});

test('without the option a handle cannot be disposed; with it, the end of a scope throws if the session is closed', async () => {
  await using world = new World();
  const session = await world.session();
  const plain = await session.spawn('sleep 1000');
  assert.equal(Symbol.asyncDispose in plain, false);
  const not = await session.spawn('sleep 1000', { stopAtEndOfScope: false });
  assert.equal(Symbol.asyncDispose in not, false);
  const scoped: ScopedTask = await session.spawn('sleep 1000', { stopAtEndOfScope: true });
  await session.shutdown({ graceMs: 0 });
  await scoped[Symbol.asyncDispose]();
  await session.close();
  await assert.rejects(scoped[Symbol.asyncDispose](), { code: 'CLOSED' });
});

test('an invalid value is refused before anything starts, and run() does not know the option', async () => {
  await using world = new World();
  const session = await world.session();
  const before = listing(world.dir);
  for (const stopAtEndOfScope of ['yes', 1, null]) {
    const options = { stopAtEndOfScope } as unknown as ScopedSpawnOptions;
    await assert.rejects(session.spawn('true', options), {
      code: 'INVALID_ARGUMENT',
      message: /stopAtEndOfScope/,
    });
  }
  const options = { stopAtEndOfScope: true } as object;
  await assert.rejects(session.run('true', options), {
    code: 'INVALID_ARGUMENT',
    message: /stopAtEndOfScope/,
  });
  assert.deepEqual(listing(world.dir), before);
});
