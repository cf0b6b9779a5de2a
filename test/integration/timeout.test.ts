import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasFact } from '../support/logs.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { untilPrinted } from '../support/ready.ts';
import { fixture, World, waitFor } from '../support/world.ts';

/** The promise is 50 ms; a noisy machine gets more, and the report says what it was. */
const boundMs = 1_000;

test('a task that runs out of time is stopped in time, as timed_out with exit code 124', async (t) => {
  await using world = new World();
  const session = await world.session();
  const lateMs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const task = await session.spawn('sleep 300', { timeoutMs: 150 });
    const snapshot = await task.wait();
    assert.equal(snapshot.status, 'timed_out');
    assert.equal(snapshot.statusReason, 'timeout');
    assert.equal(snapshot.exitCode, 124);
    assert.deepEqual(world.pidsOf(task.id, snapshot.pid ?? undefined), []);
    // The time counts from the spawn.
    const lateBy = (snapshot.endedAt ?? Number.POSITIVE_INFINITY) - snapshot.createdAt - 150;
    assert.ok(lateBy >= -10, 'not before its time');
    lateMs.push(lateBy);
  }
  t.diagnostic(`late by ${lateMs.join(', ')} ms`);
  const best = Math.min(...lateMs);
  assert.ok(best < boundMs, `expected to be late by less than ${boundMs} ms; found ${best} at best`);
});

// In the reference system such a command survived its timeout and was reported ended.
test('a task that ignores SIGTERM is gone after its timeout and the grace', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'), { timeoutMs: 300, graceMs: 100 });
  const snapshot = await task.wait();
  assert.equal(snapshot.status, 'timed_out');
  assert.deepEqual(snapshot.leftovers, []);
  assert.deepEqual(world.pidsOf(task.id, snapshot.pid ?? undefined), []);
});

test(
  'the status is timed_out also when the command ends gracefully',
  notOnWindows('nobody can be asked to end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const command = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done";
    let preview = '';
    // A busy machine may take longer than that until the trap is set.
    for (let timeoutMs = 200; !preview.includes('ready'); timeoutMs *= 2) {
      const snapshot = await (await session.spawn(command, { timeoutMs })).wait();
      assert.equal(snapshot.status, 'timed_out');
      assert.equal(snapshot.exitCode, 124);
      preview = snapshot.output.preview;
    }
    assert.match(preview, /cleaned/);
  },
);

test('a task that ends in time is not timed out, and leaves no process', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.1; exit 3', { timeoutMs: 60_000 });
  const snapshot = await task.wait();
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.exitCode, 3);
  await waitFor(
    () => world.pidsOf(task.id, snapshot.pid ?? undefined).length === 0,
    'its processes to be gone',
  );
  assert.equal(hasFact(world.logOf(task.id), 'stop'), false);
});

test(
  'timeoutMs: null means no limit, and a timeout costs no process beside the command',
  notOnWindows('the shim of Windows keeps no time of its own'),
  async () => {
    await using world = new World();
    const session = await world.session();
    for (const timeoutMs of [null, 60_000]) {
      const task = await session.spawn('echo ready; sleep 300', { timeoutMs });
      await untilPrinted(task);
      const snapshot = task.snapshot();
      assert.equal(snapshot.timeoutMs, timeoutMs);
      assert.equal(childrenOf(snapshot.pid ?? 0).length, 1);
      await task.kill({ graceMs: 1_000 });
    }
  },
);

for (const timeoutMs of [2 ** 31 + 10, 2 ** 32 + 10, 99 * 365 * 86_400_000]) {
  test(`a timeout of ${timeoutMs} ms does not overflow`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('sleep 0.3; exit 5', { timeoutMs });
    const snapshot = await task.wait();
    assert.equal(snapshot.status, 'failed');
    assert.equal(snapshot.exitCode, 5);
    assert.equal(hasFact(world.logOf(task.id), 'stop'), false);
  });
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
}
