import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { openStore, type Session, type Task } from '../../../src/index.ts';
import { removedLog } from '../../../src/tasklog/paths.ts';
import { World, waitFor } from '../../support/world.ts';

const output = 'head -c 100000 /dev/zero';

/** Tasks that have ended one after the other, of 100 kB each. */
async function ended(session: Session, count: number, ack = true): Promise<Task[]> {
  const tasks: Task[] = [];
  for (let n = 0; n < count; n += 1) {
    const task = await session.spawn(output);
    await task.wait({ ack });
    tasks.push(task);
  }
  return tasks;
}

test('prune removes the oldest ended tasks of all sessions until the store has its size', async () => {
  await using world = new World();
  const store = await world.store();
  const [a, b] = [await store.session('a'), await store.session('b')];
  const first = await ended(b, 1);
  const second = await ended(a, 2);
  const third = await ended(b, 1);
  const oldest = [first[0]?.id, second[0]?.id];
  const options = { maxBytes: 250_000 };
  const dry = await store.prune({ ...options, dryRun: true });
  assert.deepEqual([dry.taskIds, dry.bytes], [oldest, 200_000]);
  assert.deepEqual(
    dry.kept.map(({ because }) => because),
    ['young', 'young'],
  );
  assert.deepEqual((await store.prune(options)).taskIds, dry.taskIds);
  assert.deepEqual(
    (await store.tasks()).map(({ taskId }) => taskId),
    [second[1]?.id, third[0]?.id],
  );
  assert.deepEqual((await store.prune(options)).taskIds, []);
  // A session prunes its own.
  assert.deepEqual((await a.prune({ maxBytes: 0 })).taskIds, [second[1]?.id]);
  await assert.rejects(a.prune({ maxBytes: -1 }), { code: 'INVALID_ARGUMENT' });
});

test('pending and live tasks are never removed, however large they are', async () => {
  await using world = new World();
  const session = await world.session();
  const [pending] = await ended(session, 1, false);
  const running = await session.spawn(`${output}; sleep 1000`);
  const [done] = await ended(session, 1);
  assert.deepEqual((await session.prune({ maxBytes: 0 })).taskIds, [done?.id]);
  assert.deepEqual(
    (await session.tasks()).map(({ taskId }) => taskId).sort(),
    [pending?.id, running.id].sort(),
  );
});

test('a supervisor applies the bound when it opens a session', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  const [first, second] = await ended(await store.session('test'), 2);
  await store.close();
  const later = await world.store({ maxStoreBytes: 150_000 });
  await later.session('another');
  const ids = async (): Promise<string[]> => (await later.tasks()).map(({ taskId }) => taskId);
  await waitFor(async () => !(await ids()).includes(first?.id ?? ''), 'the oldest to go');
  assert.deepEqual(await ids(), [second?.id]);
});

test('a task whose removal was interrupted is not listed, and the next process finishes the removal', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  const [task] = await ended(await store.session('test'), 1);
  await store.close();
  const id = task?.id ?? '';
  renameSync(world.logOf(id), removedLog(world.sessionOf(id), id));
  const later = await world.store();
  assert.deepEqual(await later.tasks(), []);
  assert.throws(() => later.task(task?.id ?? ''), { code: 'TASK_NOT_FOUND' });
  await later.session('test');
  assert.deepEqual(
    world.files().filter((path) => path.includes('bgb-')),
    [],
  );
});
