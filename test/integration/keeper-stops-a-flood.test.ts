import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore } from '../../src/index.ts';
import { nodeKeepers, orphanTask, untilKept } from '../support/keepers.ts';
import { factOf, hasFact } from '../support/logs.ts';
import { World, waitFor } from '../support/world.ts';

// Every flood has an end of its own: a test that fails must not fill the disk.
const limit = { maxOutputBytes: 1_000_000, graceMs: 200 };
const promisedMs = 5_000;

function flood(world: World): string {
  return `until [ -e ${world.base}/go ]; do sleep 0.02; done; yes | head -c 50M; sleep 1000`;
}

test('after the spawner was killed, a flood is stopped within 5 s of crossing its limit', async (t) => {
  await using world = new World();
  const taskId = await orphanTask(world, flood(world), limit);
  writeFileSync(`${world.base}/go`, '');
  const output = world.logOf(taskId).replace('/tasks/', '/output/').replace('.jsonl', '.out');
  await waitFor(() => statSync(output).size > limit.maxOutputBytes, 'the flood');
  const crossed = performance.now();
  await waitFor(() => hasFact(world.logOf(taskId), 'outcome'), 'the end');
  const tookMs = performance.now() - crossed;
  t.diagnostic(`settled ${Math.round(tookMs)} ms after the crossing`);
  assert.ok(tookMs < promisedMs + 2_000, `took ${tookMs} ms`);
  const { status, reason } = factOf(world.logOf(taskId), 'outcome');
  assert.deepEqual([status, reason], ['killed', 'output_limit']);
  assert.deepEqual(world.pidsOf(taskId), []);
  assert.ok(!hasFact(world.logOf(taskId), 'delivered'), 'a keeper acknowledges nothing');
});

test('a flood that begins long after its store was closed is stopped, and its completion is owed', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  const task = await (await store.session('test')).spawn(flood(world), limit);
  await store.close();
  const keeper = await untilKept(world);
  assert.ok(keeper > 0);
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => hasFact(world.logOf(task.id), 'outcome'), 'the end');
  assert.equal(factOf(world.logOf(task.id), 'stop').by?.pid, keeper);
  const session = await world.session();
  assert.deepEqual(
    (await session.pending()).map(({ taskId, statusReason }) => [taskId, statusReason]),
    [[task.id, 'output_limit']],
  );
});

test('ended output is cut, and leftovers are ended, with nobody watching', async () => {
  await using world = new World();
  const command = 'sleep 1000 & sleep 2; seq 1 2000';
  const taskId = await orphanTask(world, command, {
    keepOutputBytes: 1_000,
    leftovers: 'kill',
    graceMs: 100,
  });
  await waitFor(() => hasFact(world.logOf(taskId), 'cut'), 'the cut');
  const outcome = factOf(world.logOf(taskId), 'outcome');
  assert.deepEqual([outcome.status, outcome.leftovers], ['completed', []]);
  assert.deepEqual(world.pidsOf(taskId), []);
  const task = (await world.session()).task(taskId);
  assert.match((await task.tail({ maxBytes: 100 })).text, /\n2000\n$/);
});

test('no keeper comes when it is not wanted', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir, keeper: false });
  const session = await store.session('test');
  const task = await session.spawn('sleep 2');
  await store.close();
  assert.deepEqual(world.keepers(), []);
  await waitFor(() => {
    assert.deepEqual(nodeKeepers(world), []);
    return world.pidsOf(task.id).length === 0;
  }, 'the end');
  await assert.rejects(openStore({ dir: world.dir, keeper: 1 as never }), { code: 'INVALID_ARGUMENT' });
});
