import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listing } from '../../support/listing.ts';
import { World } from '../../support/world.ts';

const longCommand = `echo hello #${'x'.repeat(100_000)}`;

test('prune removes every file of tasks that ended long enough ago and were acknowledged, and no other files', async () => {
  await using world = new World();
  const session = await world.session();
  const done = await session.run(longCommand, { separate: true });
  const running = await session.spawn('sleep 1000');
  const pending = await session.spawn('true');
  await pending.wait({ ack: false });

  const lives = [
    { taskId: running.id, because: 'running' },
    { taskId: pending.id, because: 'unread' },
  ];
  for (const options of [{}, { olderThanMs: 3_600_000 }]) {
    const { kept, ...nothing } = await session.prune(options);
    assert.deepEqual(nothing, { taskIds: [], bytes: 0 });
    assert.deepEqual(
      kept.toSorted(byId),
      [...lives, { taskId: done.task.id, because: 'young' }].toSorted(byId),
    );
  }
  const { kept, ...removed } = await session.prune({ olderThanMs: 0 });
  assert.deepEqual(removed, { taskIds: [done.task.id], bytes: 6 });
  assert.deepEqual(kept.toSorted(byId), lives.toSorted(byId));
  assert.deepEqual(
    world.files().filter((path) => path.includes(done.task.id)),
    [],
  );
  const left = (await session.tasks()).map(({ taskId }) => taskId);
  assert.deepEqual(left.sort(), [running.id, pending.id].sort());
  assert.throws(() => session.task(done.task.id), { code: 'TASK_NOT_FOUND' });

  await pending.ack();
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [pending.id]);
});

test('a folder in the place of an output is removed with the task', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('echo hello');
  rmSync(snapshot.output.path);
  mkdirSync(join(snapshot.output.path, 'inner'), { recursive: true });
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [task.id]);
  assert.deepEqual(
    world.files().filter((path) => path.includes(task.id)),
    [],
  );
});

test('a dry run says what would be removed, and removes nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello');
  const before = listing(world.dir);
  assert.deepEqual(await session.prune({ olderThanMs: 0, dryRun: true }), {
    taskIds: [task.id],
    bytes: 6,
    kept: [],
  });
  assert.deepEqual(listing(world.dir), before);
});

test('named tasks are removed whenever they ended, and unread ones only on request', async () => {
  await using world = new World();
  const store = await world.store();
  const [a, b] = [await store.session('a'), await store.session('b')];
  const { task: read } = await a.run('true');
  const { task: young } = await a.run('true');
  const unread = await b.spawn('true');
  await unread.wait({ ack: false });
  const running = await b.spawn('sleep 1000');
  const taskIds = [read.id, unread.id, running.id];
  const first = await store.prune({ taskIds });
  assert.deepEqual(first.taskIds, [read.id]);
  assert.deepEqual(
    first.kept.toSorted(byId),
    [
      { taskId: unread.id, because: 'unread' as const },
      { taskId: running.id, because: 'running' as const },
    ].toSorted(byId),
  );
  assert.deepEqual((await store.prune({ taskIds, unread: true, dryRun: true })).taskIds, [unread.id]);
  assert.equal((await store.pending('b')).length, 1);
  assert.deepEqual((await store.prune({ taskIds, unread: true })).taskIds, [unread.id]);
  assert.deepEqual((await store.prune({ taskIds: [] })).taskIds, []);
  assert.deepEqual((await store.tasks()).map(({ taskId }) => taskId).sort(), [young.id, running.id].sort());
  await assert.rejects(store.prune({ taskIds: 'x' as unknown as string[] }), { code: 'INVALID_ARGUMENT' });
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

test('an invalid age is refused', async () => {
  await using world = new World();
  const session = await world.session();
  for (const olderThanMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(session.prune({ olderThanMs }), { code: 'INVALID_ARGUMENT' });
  }
});

function byId(a: { taskId: string }, b: { taskId: string }): number {
  return a.taskId < b.taskId ? -1 : 1;
}
