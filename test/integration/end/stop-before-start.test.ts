import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { lookOf, onWindows } from '../../support/processes.ts';
import { gatedShim, ShimInPlace } from '../../support/shims.ts';
import { quote, World, waitFor } from '../../support/world.ts';

const notThere = notOnWindows('the spawner records the start of a Windows shim, before it runs');

test(
  'kill() of a task whose shim has not reported its start yet ends it at once, and its command never runs',
  notThere,
  async () => {
    await using world = new World();
    const { gate, trace, command } = gated(world);
    using _ = new ShimInPlace(gatedShim(world, gate));
    const session = await world.session();
    const task = await session.spawn(command);
    assert.equal(task.snapshot().status, 'starting');
    // Nobody waits for the shim, which cannot start as long as the gate is closed.
    const snapshot = await task.kill({ graceMs: longMs, ack: false });
    assert.deepEqual([snapshot.status, snapshot.statusReason], ['killed', 'kill']);
    await runsNothing(world, gate, trace);
    assert.deepEqual(task.snapshot(), snapshot);
    assert.equal((await task.tail()).text, '');
    assert.deepEqual(
      (await session.takePending()).map(({ taskId }) => taskId),
      [task.id],
    );
  },
);

test(
  'kill() of a task whose spawner died just after starting it keeps the command from running',
  notThere,
  async () => {
    await using world = new World();
    const { gate, trace, command } = gated(world);
    await using agent = await Agent.start(world.dir, { env: { OUTLIVE_SHIM: gatedShim(world, gate) } });
    const taskId = await agent.run(async ({ session }, text) => (await session.spawn(text)).id, command);
    await agent.crash();
    const session = await world.session();
    const snapshot = await session.task(taskId).kill({ graceMs: longMs });
    assert.equal(snapshot.status, 'killed');
    await runsNothing(world, gate, trace);
    assert.deepEqual(session.task(taskId).snapshot(), snapshot);
  },
);

// The spawner lives, and might be at work on it yet.
test('kill() of a starting task whose spawner has closed its session ends it at once', notThere, async () => {
  await using world = new World();
  const { gate, trace, command } = gated(world);
  using _ = new ShimInPlace(gatedShim(world, gate));
  const first = await world.session();
  const { id } = await first.spawn(command);
  await first.close();
  const task = (await world.session()).task(id);
  assert.equal(task.snapshot().status, 'starting');
  assert.equal((await task.kill({ graceMs: longMs })).status, 'killed');
  await runsNothing(world, gate, trace);
  assert.equal(task.snapshot().status, 'killed');
  assert.equal((await task.tail()).text, '');
});

/** Nobody waits for it. */
const longMs = 600_000;

function gated(world: World): { gate: string; trace: string; command: string } {
  const trace = `${world.base}/trace`;
  return { gate: `${world.base}/gate`, trace, command: `echo ran | tee ${quote(trace)}; sleep 300` };
}

/** Lets the shim of a task go on that was stopped before: it ends, and its command has not run. */
async function runsNothing(world: World, gate: string, trace: string): Promise<void> {
  assert.ok(world.pids().length > 0, 'it waits');
  writeFileSync(gate, '');
  await waitFor(() => world.pids().length === 0, 'the shim to have come and gone');
  assert.equal(existsSync(trace), false);
}

test('kill() right after spawn() returns when the task has ended', async () => {
  await using world = new World();
  const session = await world.session();
  const once = async (i: number): Promise<void> => {
    const task = await session.spawn('sleep 300');
    const snapshot = await task.kill(i % 2 === 0 ? { graceMs: 5_000 } : { killSignal: 'SIGKILL' });
    assert.equal(snapshot.status, 'killed');
    assert.equal(task.snapshot().status, 'killed');
    const left = world.pidsOf(task.id, snapshot.pid ?? undefined);
    assert.deepEqual(left, [], `${JSON.stringify(snapshot)}: ${left.map(lookOf).join('; ')}`);
  };
  for (let i = 0; i < (onWindows ? 2 : 10); i += 1) await Promise.all([once(i), once(i + 1), once(i + 2)]);
});
