import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session, TaskSnapshot } from '../../src/index.ts';
import { Agent } from '../support/agents.ts';
import { factOf } from '../support/logs.ts';
import { untilPrinted, untilStarted } from '../support/ready.ts';
import { World } from '../support/world.ts';

const command = 'echo ready; sleep 302; exit 1';

/** The id of a task that an agent spawned which is dead by now. */
async function orphan(world: World, text = command): Promise<{ taskId: string; pid: number }> {
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }, spec) => (await session.spawn(spec)).id, text);
  await untilStarted(world, taskId);
  await agent.crash();
  return { taskId, pid: factOf(world.logOf(taskId), 'started').pid };
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

test('a shim that is killed alone: its live parent reports how it ended, and what is left', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(command);
  await untilPrinted(task);
  const { pid } = task.snapshot();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  const snapshot = await completionOf(session);
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.statusReason, 'signal');
  assert.equal(snapshot.killSignal, 'SIGKILL');
  assert.equal(snapshot.exitCode, null);
  assertNamesCommand(snapshot);
  // They can be stopped as leftovers.
  const stopped = await task.kill({ graceMs: 500 });
  assert.deepEqual(stopped.leftovers, []);
  assert.deepEqual(world.pidsOf(task.id, pid), []);
});

test('a shim that was killed while nobody was there: the task is lost, and what is left is named', async () => {
  await using world = new World();
  const { taskId, pid } = await orphan(world);
  process.kill(pid, 'SIGKILL');
  const snapshot = await completionOf(await world.session());
  assert.equal(snapshot.taskId, taskId);
  assert.equal(snapshot.status, 'lost');
  assert.equal(snapshot.statusReason, 'no_exit_marker');
  assert.equal(snapshot.exitCode, null);
  assertNamesCommand(snapshot);
});

// In the reference system such a task stayed "running".
test('an adopted task whose whole group is killed is noticed and lost', async () => {
  await using world = new World();
  const { taskId, pid } = await orphan(world);
  const session = await world.session();
  assert.equal(session.task(taskId).snapshot().status, 'running');
  const completion = completionOf(session);
  process.kill(-pid, 'SIGKILL');
  const snapshot = await completion;
  assert.equal(snapshot.taskId, taskId);
  assert.equal(snapshot.status, 'lost');
  assert.deepEqual(snapshot.leftovers, []);
});

test('an own task whose whole group is killed is failed by SIGKILL', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(command);
  await untilPrinted(task);
  process.kill(-(task.snapshot().pid ?? 0), 'SIGKILL');
  const snapshot = await completionOf(session);
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.killSignal, 'SIGKILL');
  assert.deepEqual(snapshot.leftovers, []);
});

test('another process that has the session open leaves the verdict to the parent of the shim', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const session = await world.session();
  const taskId = await agent.run(async ({ session: own }, text) => (await own.spawn(text)).id, command);
  const task = session.task(taskId);
  await untilPrinted(task);
  process.kill(-(task.snapshot().pid ?? 0), 'SIGKILL');
  const snapshot = await task.wait();
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.killSignal, 'SIGKILL');
});
