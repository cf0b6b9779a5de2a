import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { untilStarted } from '../support/ready.ts';
import { gatedShim } from '../support/shims.ts';
import { isLive, World } from '../support/world.ts';

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
    (await session.drain()).map((owed) => owed.taskId),
    [taskId],
  );
});

for (const ack of [false, true]) {
  test(`a late start takes spawn_aborted back${ack ? ', also when that was acknowledged' : ''}`, async () => {
    await using world = new World();
    const end = join(world.base, 'end');
    const taskId = await abort(world, `until [ -e ${end} ]; do sleep 0.05; done; echo ran; exit 6`);
    const session = await world.session();
    const task = session.task(taskId);
    assert.equal((await task.wait({ ack })).statusReason, 'spawn_aborted');
    writeFileSync(gateOf(world), '');
    await untilStarted(world, taskId);
    assert.equal(task.snapshot().status, 'running');
    assert.equal(task.snapshot().delivered, false);
    writeFileSync(end, '');
    const codes: (number | null)[] = [];
    // It is noticed here without anybody asking.
    for await (const completion of session.completions()) {
      if (completion.statusReason === 'spawn_aborted') continue;
      codes.push(completion.exitCode);
      assert.equal(await completion.ack(), true);
      break;
    }
    assert.deepEqual(codes, [6]);
    assert.equal((await task.tail()).text, 'ran\n');
  });
}
