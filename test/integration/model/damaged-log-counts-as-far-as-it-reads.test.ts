import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { dropExitMark } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

/** The id of a task that ended when its spawner was gone, so that nobody has settled it. */
async function unsettled(world: World, command: string): Promise<string> {
  await using agent = await Agent.start(world.dir);
  const id = await agent.run(
    async ({ session }, given: string) =>
      (await session.spawn(`sleep 0.2; ${given}`, { timeoutMs: null })).id,
    command,
  );
  await agent.crash();
  await waitFor(() => world.pids().length === 0, 'the end of the command and its shim');
  return id;
}

/** How the world's one task ended, for somebody who comes later. */
async function endOf(world: World, taskId: string): Promise<TaskSnapshot> {
  return await (await world.session()).task(taskId).wait({ ack: false });
}

/** Rewrites the lines of a log. */
function rewrite(log: string, change: (line: string) => string): void {
  writeFileSync(log, readFileSync(log, 'utf8').split('\n').map(change).join('\n'));
}

for (const [exitCode, status] of [
  [0, 'completed'],
  [7, 'failed'],
] as const) {
  test(`a task whose spec is destroyed and whose exit marker says ${exitCode} is ${status}`, async () => {
    await using world = new World();
    const id = await unsettled(world, `exit ${exitCode}`);
    rewrite(world.logOf(id), (line) => (line.includes('"spec"') ? `${line.slice(0, 60)}\0\0` : line));
    const session = await world.session();
    const end = await session.task(id).wait({ ack: false });
    assert.deepEqual([end.status, end.exitCode, end.leftovers], [status, exitCode, []]);
    assert.equal(typeof end.pid, 'number');
    assert.equal((await session.task(id).kill({ ack: false })).status, status);
    assert.equal((await session.takePending()).length, 1);
  });
}

test('a task whose start is destroyed is judged by its exit marker', async () => {
  await using world = new World();
  const id = await unsettled(world, 'exit 7');
  rewrite(world.logOf(id), (line) => (line.includes('"started"') ? '{"fact":"star' : line));
  const { status, exitCode } = await endOf(world, id);
  assert.deepEqual([status, exitCode], ['failed', 7]);
});

test('a task whose exit marker is destroyed is lost, and no exit code is made up', async () => {
  await using world = new World();
  const id = await unsettled(world, 'echo hello; exit 0');
  rewrite(world.logOf(id), (line) => (line.includes('"exit"') ? line.slice(0, -5) : line));
  dropExitMark(world.logOf(id));
  const { status, statusReason, exitCode, output } = await endOf(world, id);
  assert.deepEqual([status, statusReason, exitCode], ['lost', 'no_exit_marker', null]);
  assert.equal(output.preview, 'hello\n');
});

test('a task whose log is only garbage is lost, once its time to start is over', async () => {
  await using world = new World();
  const id = await unsettled(world, 'exit 0');
  writeFileSync(world.logOf(id), 'x'.repeat(2000));
  dropExitMark(world.logOf(id));
  const { status, statusReason, exitCode } = await endOf(world, id);
  assert.deepEqual([status, statusReason, exitCode], ['lost', 'unreadable_record', null]);
});

test('a lost task is told like any other end', async () => {
  await using world = new World();
  const id = await unsettled(world, 'exit 0');
  writeFileSync(world.logOf(id), 'x'.repeat(2000));
  dropExitMark(world.logOf(id));
  utimesSync(world.logOf(id), 0, 0);
  const session = await world.session();
  await using taker = new Taker(session);
  await waitFor(() => taker.ids.length === 1, 'the completion');
  assert.equal(session.task(id).snapshot().status, 'lost');
  assert.equal((await session.pending()).length, 1);
  assert.equal(await taker.taken[0]?.ack(), true);
  assert.equal(session.task(id).snapshot().delivered, true);
});

test('leftover bytes before the exit marker do not spoil it', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; sleep 0.3; exit 6');
  await untilStarted(world, task.id);
  appendFileSync(world.logOf(task.id), '\n{"fact":"exit","code":0,"upt');
  const end = await task.wait({ ack: false });
  assert.deepEqual([end.status, end.exitCode], ['failed', 6]);
  assert.equal((await endOf(world, task.id)).exitCode, 6);
});

test('facts and fields of a later version are ignored', async () => {
  await using world = new World();
  const id = await unsettled(world, 'exit 5');
  appendFileSync(world.logOf(id), '\n{"fact":"mood","value":"good"}\n');
  rewrite(world.logOf(id), (line) => line.replace('"fact":"exit"', '"color":"blue","fact":"exit"'));
  const { status, exitCode } = await endOf(world, id);
  assert.deepEqual([status, exitCode], ['failed', 5]);
});
