import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session, TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { isLive, World } from '../../support/world.ts';

const command = 'echo ready; sleep 302; exit 1';

/** The id of a task that an agent spawned which is dead by now. */
async function orphan(world: World): Promise<{ taskId: string; pid: number; shimPid: number }> {
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }, spec) => (await session.spawn(spec)).id, command);
  await untilStarted(world, taskId);
  await agent.crash();
  const { pid, shimPid } = factOf(world.logOf(taskId), 'started');
  return { taskId, pid, shimPid };
}

async function completionOf(session: Session): Promise<TaskSnapshot> {
  for await (const { ack, ...snapshot } of session.completions()) {
    assert.equal(await ack(), true);
    return snapshot;
  }
  throw new Error('expected a completion');
}

/** The shell and its sleep, and nothing of the shim's own. */
function assertNamesCommand({ leftovers }: TaskSnapshot): void {
  assert.deepEqual(
    leftovers.map((leftover) => leftover.command.includes('sleep 302')),
    [true, true],
    JSON.stringify(leftovers),
  );
}

function assertLost(end: TaskSnapshot): void {
  const { status, statusReason, exitCode, exitSignal } = end;
  assert.deepEqual([status, statusReason, exitCode, exitSignal], ['lost', 'no_exit_marker', null, null]);
}

/** By SIGKILL, as everybody is told, also those who did not spawn it. */
function assertKilled({ status, statusReason, exitCode, exitSignal, leftovers }: TaskSnapshot): void {
  assert.deepEqual([status, statusReason, exitCode, exitSignal], ['failed', 'signal', 137, 'SIGKILL']);
  assert.deepEqual(leftovers, []);
}

test('a shim that is killed alone: the task is lost, and its command runs on as a leftover that can be stopped', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(command);
  await untilPrinted(task);
  const { pid, shimPid } = task.snapshot();
  assert.ok(pid && shimPid);
  process.kill(shimPid, 'SIGKILL');
  const snapshot = await completionOf(session);
  assertLost(snapshot);
  assertNamesCommand(snapshot);
  assert.ok(isLive(pid));
  const stopped = await task.kill({ graceMs: 500 });
  assert.deepEqual(stopped.leftovers, []);
  assert.deepEqual(world.pidsOf(task.id, pid), []);
});

test('a shim that is killed without a supervisor: the task is lost, and its leftovers are named', async () => {
  await using world = new World();
  const { taskId, shimPid } = await orphan(world);
  process.kill(shimPid, 'SIGKILL');
  const snapshot = await completionOf(await world.session());
  assert.equal(snapshot.taskId, taskId);
  assertLost(snapshot);
  assertNamesCommand(snapshot);
});

// In the reference system such a task stayed "running".
test('an adopted task whose shim and whole group are killed is lost', async () => {
  await using world = new World();
  const { taskId, pid, shimPid } = await orphan(world);
  const session = await world.session();
  assert.equal(session.task(taskId).snapshot().status, 'running');
  const completion = completionOf(session);
  process.kill(shimPid, 'SIGKILL');
  process.kill(-pid, 'SIGKILL');
  const snapshot = await completion;
  assert.equal(snapshot.taskId, taskId);
  assertLost(snapshot);
  assert.deepEqual(snapshot.leftovers, []);
});

test('an adopted task whose whole group is killed fails with SIGKILL, as its shim saw', async () => {
  await using world = new World();
  const { taskId, pid } = await orphan(world);
  const session = await world.session();
  process.kill(-pid, 'SIGKILL');
  const snapshot = await completionOf(session);
  assert.equal(snapshot.taskId, taskId);
  assertKilled(snapshot);
});

test('a task of this process whose whole group is killed fails with SIGKILL', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(command);
  await untilPrinted(task);
  process.kill(-(task.snapshot().pid ?? 0), 'SIGKILL');
  assertKilled(await completionOf(session));
});

test('the spawner and another process with the open session tell the same end', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const session = await world.session();
  const taskId = await agent.run(async ({ session: own }, text) => (await own.spawn(text)).id, command);
  const task = session.task(taskId);
  await untilPrinted(task);
  process.kill(-(task.snapshot().pid ?? 0), 'SIGKILL');
  assertKilled(await task.wait());
  assertKilled(await agent.run(({ session: own }, id) => own.task(id).wait({ ack: false }), taskId));
});
