import assert from 'node:assert/strict';
import { uptime } from 'node:os';
import { test } from 'node:test';
import { linux } from '../../../src/platform/linux/linux.ts';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { orphanTask, withoutKeeper } from '../../support/orphans.ts';
import { onWindows } from '../../support/processes.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** The promise is 2 s; a noisy machine gets more, and the report says what it was. */
const boundMs = onWindows ? 60_000 : 10_000;

/** Spawns a task that nobody watches: its agent dies. */
async function orphan(world: World, command: string, timeoutMs: number): Promise<string> {
  return await orphanTask(world, command, { timeoutMs, graceMs: 200 }, withoutKeeper);
}

for (const name of ['sleep 300', fixture('ignores-sigterm-tree.sh')]) {
  const what = name === 'sleep 300' ? 'a task' : 'a task that ignores SIGTERM';
  test(
    `the timeout of ${what} holds without a supervisor`,
    notOnWindows('the Windows shim enforces no timeout'),
    async (t) => {
      await using world = new World();
      const taskId = await orphan(world, name, 500);
      const { pid, start } = factOf(world.logOf(taskId), 'started');
      await waitFor(() => groupOf(world, taskId, pid).length === 0, 'the group to be gone');
      const tookMs = uptime() * 1_000 - (start ?? 0) * 10;
      t.diagnostic(`gone ${Math.round(tookMs - 500)} ms after the timeout`);
      assert.ok(
        tookMs < 500 + boundMs,
        `expected to be late by less than ${boundMs} ms; found ${tookMs - 500}`,
      );
      assert.equal(factOf(world.logOf(taskId), 'stop').by, null, 'the shim did it');
      const snapshot = await (await world.session()).task(taskId).wait();
      assert.equal(snapshot.status, 'timed_out');
      assert.equal(snapshot.exitCode, 124);
      assert.deepEqual(world.pidsOf(taskId, pid), []);
    },
  );
}

// In the reference system the deadline started again with each restart.
test('restarts do not extend a timeout', async (t) => {
  await using world = new World();
  const timeoutMs = onWindows ? 10_000 : 1_000;
  const taskId = await orphan(world, 'sleep 300', timeoutMs);
  let restarts = 0;
  // A deadline that moved with each of them would never come.
  await waitFor(async () => {
    restarts += 1;
    const session = await world.session();
    const { endedAt } = session.task(taskId).snapshot();
    await session.close();
    return endedAt !== null;
  }, 'the timeout');
  const { status, durationMs } = await (await world.session()).task(taskId).wait();
  assert.equal(status, 'timed_out');
  assert.ok((durationMs ?? 0) >= timeoutMs, `it ran for ${durationMs} ms`);
  t.diagnostic(`${restarts} restarts, late by ${(durationMs ?? 0) - timeoutMs} ms`);
});

for (const [what, shiftMs] of [
  ['forward', 3 * 3_600_000],
  ['back', -3 * 3_600_000],
] as const) {
  test(`setting the wall clock ${what} does not move a deadline`, async () => {
    await using world = new World();
    const [ends, runs] = [
      await orphan(world, 'sleep 1; exit 3', 30_000),
      await orphan(world, 'sleep 300', 1_500),
    ];
    const moved = `data:text/javascript,const now = Date.now; Date.now = () => now() + ${shiftMs};`;
    await using agent = await Agent.start(world.dir, { node: ['--import', moved] });
    const [ended, timedOut] = await agent.run(
      async ({ session }, ids) => await Promise.all(ids.map((id) => session.task(id).wait())),
      [ends, runs],
    );
    assert.equal(ended?.status, 'failed');
    assert.equal(ended.exitCode, 3);
    assert.equal(timedOut?.status, 'timed_out');
    const { durationMs } = timedOut;
    assert.ok(
      durationMs !== null && durationMs >= (onWindows ? 1_490 : 1_500) && durationMs < 1_500 + boundMs,
      `took ${durationMs} ms`,
    );
  });
}

/** The live members of a task's group. Others carry the cookie, and are out of the shim's reach. */
function groupOf(world: World, taskId: string, group: number): number[] {
  return world.pidsOf(taskId, group).filter((pid) => view(pid)?.group === group);
}

const { view } = linux;
