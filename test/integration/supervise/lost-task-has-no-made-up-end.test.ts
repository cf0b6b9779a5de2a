import assert from 'node:assert/strict';
import { statSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import type { Task, TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { factOf, overwrite } from '../../support/logs.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

const week = 7 * 24 * 3_600_000;

/** Ends a task so that nobody sees how: its shim first, which would record it. */
async function lose(world: World, task: Task): Promise<void> {
  const { shimPid, pid } = factOf(world.logOf(task.id), 'started');
  process.kill(shimPid, 'SIGKILL');
  process.kill(-pid, 'SIGKILL');
  await waitFor(() => world.pidsOf(task.id, pid).length === 0, 'the task to be gone');
}

/** Makes all that a lost task has left look so much older. */
function age(world: World, { taskId, output }: TaskSnapshot, ms: number): void {
  const log = world.logOf(taskId);
  const { lastSeenAt } = factOf(log, 'outcome');
  const times = { createdAt: factOf(log, 'spec').createdAt, at: factOf(log, 'started').at, lastSeenAt };
  for (const [name, at] of Object.entries(times))
    overwrite(log, `"${name}":${at}`, `"${name}":${(at ?? 0) - ms}`);
  const { atimeMs, mtimeMs } = statSync(output.path);
  utimesSync(output.path, (atimeMs - ms) / 1_000, (mtimeMs - ms) / 1_000);
}

test('a lost task that wrote has no end and no duration, and was last seen at its last write', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo one; sleep 0.3; echo ready; sleep 300');
  await untilPrinted(task);
  const { startedAt, output } = task.snapshot();
  const wroteAt = Math.round(statSync(output.path).mtimeMs);
  await lose(world, task);
  const end = await task.wait({ ack: false });
  assert.equal(end.status, 'lost');
  assert.deepEqual([end.endedAt, end.durationMs, end.lastSeenAt], [null, null, wroteAt]);
  assert.ok((end.lastSeenAt ?? 0) >= (startedAt ?? 0) + 290);
  // So does everybody else, whether from the record or from the files.
  const [pending] = await (await world.session()).pending();
  assert.deepEqual([pending?.endedAt, pending?.lastSeenAt], [null, wroteAt]);
});

test('a lost task that wrote nothing was last seen when its command started', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 300');
  await untilStarted(world, task.id);
  await lose(world, task);
  const { status, endedAt, lastSeenAt, startedAt } = await task.wait();
  assert.deepEqual([status, endedAt], ['lost', null]);
  // The record says when it began, and the file when that was written.
  assert.ok(lastSeenAt !== null && startedAt !== null && lastSeenAt >= startedAt);
  assert.ok(lastSeenAt - startedAt < 5_000, `${lastSeenAt - startedAt}`);
});

test('a stop request does not count as a sign of life of its task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.1; echo ready; sleep 300');
  await untilPrinted(task);
  const wroteAt = Math.round(statSync(task.snapshot().output.path).mtimeMs);
  const { boot } = factOf(world.logOf(task.id), 'spec').by;
  await task.addWatch('never', { id: 'w' });
  overwrite(world.logOf(task.id), boot, boot.replace(/[0-9a-f]/g, '0'));
  const after = (await world.session()).task(task.id).snapshot();
  assert.deepEqual([after.status, after.statusReason, after.endedAt], ['lost', 'reboot', null]);
  assert.equal(after.lastSeenAt, wroteAt);
  overwrite(world.logOf(task.id), boot.replace(/[0-9a-f]/g, '0'), boot);
});

test('completions come in the order in which tasks ended or were last seen', async () => {
  await using world = new World();
  const session = await world.session();
  const first = await session.spawn('exit 1');
  await first.wait({ ack: false });
  const lost = await session.spawn('sleep 0.05; echo ready; sleep 300');
  await untilPrinted(lost);
  const last = await session.spawn('sleep 0.05; exit 3');
  await last.wait({ ack: false });
  await lose(world, lost);
  await lost.wait({ ack: false });
  const pending = (await session.pending()).map(({ taskId }) => taskId);
  assert.deepEqual(pending, [first.id, lost.id, last.id]);
  assert.deepEqual(
    (await session.takePending()).map(({ taskId }) => taskId),
    pending,
  );
});

test('a lost task is kept for a week after it was last seen, and then pruned like others', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; sleep 300');
  await untilPrinted(task);
  await lose(world, task);
  const end = await task.wait();
  await session.close();
  age(world, end, week - 60_000);
  const again = await world.session();
  assert.equal(again.task(task.id).snapshot().status, 'lost');
  assert.deepEqual((await again.prune()).taskIds, []);
  await again.close();
  age(world, again.task(task.id).snapshot(), 120_000);
  const reader = await world.session('other');
  await reader.close();
  assert.deepEqual((await (await world.store()).prune()).taskIds, [task.id]);
});

test('the record of a lost task whose command runs on is not pruned, so that it can be stopped', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(
    async ({ session }) => (await session.spawn('echo ready; sleep 300 & wait')).id,
  );
  const session = await world.session('test', { retentionMs: 0 });
  const task = session.task(taskId);
  await untilPrinted(task);
  process.kill(factOf(world.logOf(taskId), 'started').shimPid, 'SIGKILL');
  await agent.crash();
  const end = await task.wait();
  assert.deepEqual([end.status, end.leftovers.length], ['lost', 2]);
  assert.deepEqual((await session.prune({ olderThanMs: 0, maxBytes: 0 })).taskIds, []);
  const again = await world.session('test', { retentionMs: 0 });
  const stopped = await again.task(taskId).kill({ graceMs: 0 });
  assert.deepEqual([stopped.leftovers, world.pidsOf(taskId)], [[], []]);
  assert.deepEqual((await again.prune({ olderThanMs: 0 })).taskIds, [taskId]);
});
