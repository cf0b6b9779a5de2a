import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

const graceMs = 300;

/** The promise is grace and a second; a machine that does much else gets more. The report says what it was. */
const boundMs = graceMs + 10_000;

const trees = [
  { what: 'every member of the group', command: 'sleep 300 | sleep 300 & echo ready; sleep 300', least: 3 },
  // Git for Windows has no setsid, and its programs do not start without an environment.
  ...(onWindows
    ? []
    : [{ what: 'a member that left the group by setsid', command: fixture('setsid-member.sh'), least: 2 }]),
  { what: 'a member that left by a double fork', command: fixture('double-forks.sh'), least: 3 },
  { what: 'members that ignore SIGTERM', command: fixture('ignores-sigterm-tree.sh'), least: 4 },
  ...(onWindows
    ? []
    : [{ what: 'a member that has no environment', command: fixture('clears-environment.sh'), least: 3 }]),
  // Who looks at all processes sees few of these: they say themselves that they are there.
  { what: 'members that keep forking', command: fixture('keeps-forking.sh'), least: 1, words: 4 },
];

for (const { what, command, least, words = 0 } of trees) {
  test(`kill() ends ${what}, and leaves nothing behind`, async (t) => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(command);
    await untilPrinted(task);
    const { pid } = task.snapshot();
    assert.ok(pid);
    const said = async (): Promise<number> => (await task.tail()).text.match(/forking/g)?.length ?? 0;
    await waitFor(async () => (await said()) >= words, 'all to be forking');
    await waitFor(() => world.pidsOf(task.id, pid).length >= least, 'the tree to have grown');
    const begin = performance.now();
    const snapshot = await task.kill({ graceMs });
    const tookMs = performance.now() - begin;
    assert.deepEqual(world.pidsOf(task.id, pid), [], 'processes are left');
    t.diagnostic(`gone after ${Math.round(tookMs)} ms, with a grace of ${graceMs} ms`);
    assert.equal(snapshot.status, 'killed');
    assert.deepEqual(snapshot.leftovers, []);
    assert.ok(tookMs < boundMs, `expected the tree to be gone within ${boundMs} ms; found ${tookMs}`);
  });
}

test(
  'kill() ends a tree that is stopped by SIGSTOP, and lets it handle SIGTERM first',
  notOnWindows('there are no signals'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(fixture('handles-sigterm-slowly.sh', '0'));
    await untilPrinted(task);
    const { pid } = task.snapshot();
    assert.ok(pid);
    process.kill(-pid, 'SIGSTOP');
    await waitFor(() => task.snapshot().statusReason === 'suspended', 'the snapshot to say so');
    const snapshot = await task.kill({ graceMs: 10_000 });
    assert.equal(snapshot.status, 'killed');
    assert.equal(snapshot.exitCode, 7);
    assert.deepEqual(world.pidsOf(task.id, pid), []);
  },
);

test('kill() does not stop a task that a command of the stopped task spawned', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('spawns-a-task.mjs', libraryUrl, world.dir));
  await untilPrinted(task, 'spawned');
  const inner = (await session.tasks()).find(({ taskId }) => taskId !== task.id);
  assert.ok(inner, 'the session has the inner task');
  await untilStarted(world, inner.taskId);
  assert.equal((await task.kill({ graceMs })).status, 'killed');
  const innerTask = session.task(inner.taskId);
  assert.equal(innerTask.snapshot().status, 'running');
  assert.ok(world.pidsOf(inner.taskId).length > 0);
  assert.equal((await innerTask.kill({ graceMs })).status, 'killed');
  assert.deepEqual(world.pidsOf(inner.taskId), []);
});

const libraryUrl = new URL('../../../src/index.js', import.meta.url).href;
