import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { killNow, nodeKeepers, orphanTask, sentinels, untilKept } from '../support/keepers.ts';
import { factOf, hasFact } from '../support/logs.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { isLive, World, waitFor } from '../support/world.ts';

const limit = { maxOutputBytes: 100_000, graceMs: 200 };

function flood(world: World): string {
  return `until [ -e ${world.base}/go ]; do sleep 0.02; done; yes | head -c 10M; sleep 1000`;
}

function marks(world: World): string[] {
  return world.files().filter((path) => path.startsWith('/keeper-'));
}

test('a keeper that is killed is started again, and the limit holds', async () => {
  await using world = new World();
  const taskId = await orphanTask(world, flood(world), limit);
  const first = await untilKept(world);
  await killNow(first);
  const second = await untilKept(world, [first]);
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => hasFact(world.logOf(taskId), 'outcome'), 'the end');
  assert.equal(factOf(world.logOf(taskId), 'stop').by?.pid, second);
  assert.equal(factOf(world.logOf(taskId), 'outcome').reason, 'output_limit');
});

test('a keeper that is killed in the middle of a stop is replaced, and the stop goes on', async () => {
  await using world = new World();
  const command = `trap '' TERM; ${flood(world)}`;
  const taskId = await orphanTask(world, command, { ...limit, graceMs: 1_500 });
  const keeper = await untilKept(world);
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => hasFact(world.logOf(taskId), 'stop'), 'the stop');
  await killNow(keeper);
  await waitFor(() => hasFact(world.logOf(taskId), 'outcome'), 'the end');
  assert.equal(factOf(world.logOf(taskId), 'outcome').reason, 'output_limit');
  assert.deepEqual(world.pidsOf(taskId), []);
});

test(
  'a keeper whose sentinel was killed goes on under a mark of its own, and ends as always',
  notOnWindows('the sentinel of Windows leaves no mark, and starts its keeper without looking first'),
  async () => {
    await using world = new World();
    const taskId = await orphanTask(world, flood(world), limit);
    const keeper = await untilKept(world);
    for (const pid of sentinels(world)) await killNow(pid);
    await waitFor(() => marks(world)[0]?.endsWith(`-${keeper}`) && marks(world).length === 1, 'the mark');
    // Another spawner's sentinel finds it, and leaves.
    await orphanTask(world, 'sleep 3');
    await waitFor(() => sentinels(world).length === 0, 'the other sentinel to leave');
    assert.deepEqual(nodeKeepers(world), [keeper]);
    writeFileSync(`${world.base}/go`, '');
    await waitFor(() => hasFact(world.logOf(taskId), 'outcome'), 'the end');
    await waitFor(() => !isLive(keeper), 'the keeper to end');
    assert.deepEqual(marks(world), []);
  },
);

test('a keeper that was killed with its sentinel has lost nothing, and its mark holds nobody off', async () => {
  await using world = new World();
  const first = await orphanTask(world, flood(world), limit);
  const keeper = await untilKept(world);
  for (const pid of sentinels(world)) await killNow(pid);
  await killNow(keeper);
  assert.ok(!hasFact(world.logOf(first), 'stop'));
  const second = await orphanTask(world, 'sleep 1000', limit);
  const next = await untilKept(world);
  await waitFor(() => marks(world).length === 1, 'the mark of the dead to be removed');
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => hasFact(world.logOf(first), 'outcome'), 'the end');
  assert.equal(factOf(world.logOf(first), 'stop').by?.pid, next);
  assert.ok(!hasFact(world.logOf(second), 'stop'), 'the other one is left alone');
});
