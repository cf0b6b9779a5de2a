import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { listing } from '../support/listing.ts';
import { World } from '../support/world.ts';

const longCommand = `echo hello #${'x'.repeat(100_000)}`;

test('prune removes every file of tasks that ended long enough ago and were acknowledged, and no others', async () => {
  await using world = new World();
  const session = await world.session();
  const done = await session.run(longCommand, { separate: true });
  const running = await session.spawn('sleep 1000');
  const owed = await session.spawn('true');
  await owed.wait({ ack: false });

  assert.deepEqual(await session.prune(), { taskIds: [], bytes: 0 });
  assert.deepEqual(await session.prune({ olderThanMs: 3_600_000 }), { taskIds: [], bytes: 0 });
  assert.deepEqual(await session.prune({ olderThanMs: 0 }), { taskIds: [done.task.id], bytes: 6 });
  assert.deepEqual(
    world.files().filter((path) => path.includes(done.task.id)),
    [],
  );
  const left = (await session.tasks()).map(({ taskId }) => taskId);
  assert.deepEqual(left.sort(), [running.id, owed.id].sort());
  assert.throws(() => session.task(done.task.id), { code: 'TASK_NOT_FOUND' });

  await owed.ack();
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [owed.id]);
});

test('a folder that was put in the place of an output goes with the task', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('echo hello');
  rmSync(snapshot.output.path);
  mkdirSync(join(snapshot.output.path, 'inner'), { recursive: true });
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [task.id]);
  assert.deepEqual(
    readdirSync(dirname(snapshot.output.path)).filter((name) => name.includes(task.id)),
    [],
  );
});

test('a dry run says what would go, and removes nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello');
  const before = listing(world.dir);
  assert.deepEqual(await session.prune({ olderThanMs: 0, dryRun: true }), { taskIds: [task.id], bytes: 6 });
  assert.deepEqual(listing(world.dir), before);
});

test('the store prunes all of its sessions', async () => {
  await using world = new World();
  const store = await world.store();
  const ids: string[] = [];
  for (const id of ['a', 'b']) ids.push((await (await store.session(id)).run('echo hello')).task.id);
  const pruned = await store.prune({ olderThanMs: 0 });
  assert.deepEqual([...pruned.taskIds].sort(), ids.sort());
  assert.equal(pruned.bytes, 12);
  assert.deepEqual(await store.tasks(), []);
});

test('opening a session removes what is past its retention, and what is owed stays', async () => {
  await using world = new World();
  const session = await world.session('test', { retentionMs: null });
  const { task } = await session.run('true');
  const owed = await session.spawn('true');
  await owed.wait({ ack: false });
  await session.close();
  for (const retentionMs of [null, 3_600_000]) {
    const kept = await world.session('test', { retentionMs });
    assert.equal((await kept.tasks()).length, 2);
    await kept.close();
  }
  const later = await world.session('test', { retentionMs: 0 });
  assert.deepEqual(
    (await later.tasks()).map(({ taskId }) => taskId),
    [owed.id],
  );
  assert.deepEqual(
    world.files().filter((path) => path.includes(task.id)),
    [],
  );
});

test('a bad age is refused', async () => {
  await using world = new World();
  const session = await world.session();
  for (const olderThanMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(session.prune({ olderThanMs }), { code: 'INVALID_ARGUMENT' });
  }
});
