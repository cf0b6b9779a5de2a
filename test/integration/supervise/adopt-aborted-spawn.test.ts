import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { gatedShim } from '../../support/shims.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

/** The shim starts when this file is there. */
const gateOf = (world: World): string => join(world.base, 'gate');

/** Spawns a task in an agent that dies before the shim has said anything. */
async function abort(world: World, command: string): Promise<string> {
  await using agent = await Agent.start(world.dir, {
    env: { OUTLIVE_SHIM: gatedShim(world, gateOf(world)) },
  });
  const taskId = await agent.run(
    async ({ session }, text) => (await session.spawn(text, { timeoutMs: null })).id,
    command,
  );
  await agent.crash();
  return taskId;
}

test('a task whose spawner died before it started is failed, spawn_aborted, after 2 s', async () => {
  await using world = new World();
  const taskId = await abort(world, 'echo never');
  // The program at the gate is among them, and its naps, which end by themselves.
  for (const pid of world.pidsOf(taskId)) if (isLive(pid)) process.kill(pid, 'SIGKILL');
  const session = await world.session();
  const task = session.task(taskId);
  const { status, createdAt } = task.snapshot();
  // A busy machine may get here late.
  if (status !== 'starting') assert.ok(Date.now() - createdAt >= 2_000, `${status} too early`);
  const snapshot = await task.wait({ ack: false });
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.statusReason, 'spawn_aborted');
  assert.equal(snapshot.exitCode, null);
  assert.deepEqual(
    (await session.takePending()).map((pending) => pending.taskId),
    [taskId],
  );
});

for (const ack of [false, true]) {
  test(`a shim that starts late sees that its task was given up, and runs nothing${ack ? '; also when that was acknowledged' : ''}`, async () => {
    await using world = new World();
    const ran = join(world.base, 'ran');
    const taskId = await abort(world, `echo ran; echo ran >${ran}`);
    const session = await world.session();
    const task = session.task(taskId);
    assert.equal((await task.wait({ ack })).statusReason, 'spawn_aborted');
    const log = world.logOf(taskId);
    writeFileSync(gateOf(world), '');
    await waitFor(() => hasFact(log, 'exit'), 'the word of the shim');
    await waitFor(() => world.pids().length === 0, 'the end of the shim');
    assert.equal(factOf(log, 'exit').ran, false);
    assert.equal(existsSync(ran), false);
    assert.equal((await task.tail()).text, '');
    // Nobody is told anything else by it, neither here nor by who comes later.
    for (const look of [session, await world.session()]) {
      const { status, statusReason, exitCode, delivered } = look.task(taskId).snapshot();
      assert.deepEqual([status, statusReason, exitCode, delivered], ['failed', 'spawn_aborted', null, ack]);
    }
    const pending = (await session.takePending()).map((one) => [one.taskId, one.statusReason]);
    assert.deepEqual(pending, ack ? [] : [[taskId, 'spawn_aborted']]);
    assert.deepEqual(await session.takePending(), []);
  });
}
