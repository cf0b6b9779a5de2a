import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { OutliveError } from '../../../src/index.ts';
import { ShimInPlace, shimAfter, slowShim } from '../../support/shims.ts';
import { quote, World } from '../../support/world.ts';

test('if the shim program ends unlike any shim, the spawn fails, and leaves no task', async () => {
  await using world = new World();
  using _ = new ShimInPlace('/bin/false');
  const session = await world.session();
  await assert.rejects(
    session.spawn('echo never'),
    (error) => error instanceof OutliveError && error.code === 'SPAWN_FAILED',
  );
  assert.deepEqual([await session.tasks(), world.taskIds()], [[], []]);
});

test('the end of a shim that has not started its command is noticed soon', async () => {
  await using world = new World();
  // Stands for one that is killed early.
  using _ = new ShimInPlace(shimAfter(world, 'exit 1'));
  const session = await world.session();
  const task = await session.spawn('echo never');
  const snapshot = await task.wait({ timeoutMs: 10_000, ack: false });
  assert.deepEqual([snapshot.status, snapshot.statusReason], ['failed', 'spawn_aborted']);
  assert.equal(task.snapshot().status, 'failed');
  const [pending] = await session.takePending();
  assert.equal(pending?.taskId, task.id);
  assert.equal((await task.tail()).text, '');
});

test('an existing file in the place of the output is not written to, and the command does not run', async () => {
  await using world = new World();
  const victim = `${world.base}/victim`;
  writeFileSync(victim, 'untouched');
  const each = `for folder in ${quote(world.dir)}/sessions/*/output`;
  const takesThePlace = `${each}; do ln -s ${quote(victim)} "$folder/$1.out"; done`;
  using _ = new ShimInPlace(shimAfter(world, takesThePlace));
  const session = await world.session();
  const snapshot = await (await session.spawn('echo never')).wait();
  assert.deepEqual(
    [snapshot.status, snapshot.statusReason, snapshot.spawnError],
    ['failed', 'spawn_aborted', 'EEXIST'],
  );
  assert.equal(readFileSync(victim, 'utf8'), 'untouched');
});

test('a slow shim is not mistaken for a dead one', async () => {
  await using world = new World();
  using _ = new ShimInPlace(slowShim(world));
  const session = await world.session();
  const { snapshot } = await session.run('exit 3');
  assert.deepEqual([snapshot.status, snapshot.exitCode], ['failed', 3]);
});
