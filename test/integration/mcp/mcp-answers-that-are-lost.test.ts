import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session } from '../../../src/api/session.ts';
import { answerThatTells, McpProcess, ridersOf } from '../../support/mcp-process.ts';
import { callWithId, notesIn } from '../../support/mcp-told.ts';
import { World, waitFor } from '../../support/world.ts';

// Session "s" is open here as well, so that what is pending can be seen from outside.

const nothing = { again: [], reminders: [] };

async function pendingIn(session: Session): Promise<string[]> {
  return (await session.pending()).map(({ taskId }) => taskId);
}

/** Runs a command to its end, which nobody is told of. */
async function endUntold(server: McpProcess, session: Session, command: string): Promise<string> {
  const { taskId } = (await server.call('run', { command: `sleep 0.7; ${command}`, wait_ms: 0 }))
    .structuredContent.task;
  await waitFor(async () => (await pendingIn(session)).includes(taskId), 'the end');
  return taskId;
}

test('a client that silently gives up on a slow answer is reminded once, by the second call after it', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  // The answer comes after more than two seconds: the client may not wait any more.
  const { taskId } = (await server.call('run', { command: 'sleep 2.2; exit 3' })).structuredContent.task;
  const second = await server.call('tasks');
  assert.deepEqual(notesIn(second), { again: [], reminders: [taskId] });
  assert.match(second.content.at(-1)?.text ?? '', /failed \(exit code 3\)/);
  assert.deepEqual(await pendingIn(session), [taskId]);
  assert.deepEqual(notesIn(await server.call('tasks')), nothing);
  await waitFor(async () => (await pendingIn(session)).length === 0, 'the acknowledgement');
});

test('a reminder on a slow answer does not count, and after three of them there are no more', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'sleep 1000', name: 'dev', wait_ms: 0 });
  const { taskId } = (await server.call('run', { command: 'sleep 2.2' })).structuredContent.task;
  const slow = { task: 'dev', timeout_ms: 2_200 };
  for (let n = 1; n <= 3; n += 1)
    assert.deepEqual(notesIn(await server.call('wait', slow)), { again: [], reminders: [taskId] }, `${n}`);
  assert.deepEqual(notesIn(await server.call('wait', slow)), nothing);
  assert.deepEqual(notesIn(await server.call('tasks')), nothing);
  // It stays owed: the next server tells it.
  assert.deepEqual(await pendingIn(session), [taskId]);
  await server.crash();
  await using next = await McpProcess.start(world, { session: 's' });
  const told = await next.call('tasks');
  assert.deepEqual([ridersOf(told), notesIn(told).again], [[taskId], [taskId]]);
});

test('an answer whose request is cancelled after it was written is told again, whole and marked', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const taskId = await endUntold(server, session, 'exit 4');
  let told = await callWithId(server, 'tasks');
  await waitFor(async () => {
    if (ridersOf(told.result).length === 0) told = await callWithId(server, 'tasks');
    return ridersOf(told.result).length > 0;
  }, 'the end to be told');
  const { id, result } = told;
  assert.deepEqual([ridersOf(result), notesIn(result)], [[taskId], nothing]);
  server.notify('notifications/cancelled', { requestId: id });
  const again = await server.call('tasks');
  assert.deepEqual([ridersOf(again), notesIn(again)], [[taskId], { again: [taskId], reminders: [] }]);
  assert.deepEqual(await pendingIn(session), [taskId]);
  assert.deepEqual(ridersOf(await server.call('tasks')), []);
  await waitFor(async () => (await pendingIn(session)).length === 0, 'the acknowledgement');
});

test('an answer whose request is cancelled after another call has proven it read is told again, too', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const { id, result } = await callWithId(server, 'run', { command: 'exit 5' });
  const { taskId } = result.structuredContent.task;
  await server.call('tasks');
  await waitFor(async () => session.task(taskId).snapshot().delivered, 'the acknowledgement');
  const log = readFileSync(world.logOf(taskId));
  server.notify('notifications/cancelled', { requestId: id });
  const again = await server.call('tasks');
  assert.deepEqual([ridersOf(again), notesIn(again).again], [[taskId], [taskId]]);
  for (let n = 0; n < 2; n += 1) assert.deepEqual(ridersOf(await server.call('tasks')), []);
  assert.deepEqual(readFileSync(world.logOf(taskId)), log, 'nothing is written of that');
});

test('a call that is cancelled before its answer loses no end', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'sleep 1000', name: 'dev', wait_ms: 0 });
  const waiting = server.send('tools/call', { name: 'wait', arguments: { task: 'dev' } });
  const taskId = await endUntold(server, session, 'exit 6');
  server.notify('notifications/cancelled', { requestId: waiting.id });
  assert.deepEqual(ridersOf(await answerThatTells(server)), [taskId]);
});

test('ends in an unread push and an unread poll answer stay pending, although a call was sent', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const started = await server.request('tools/call', {
    name: 'run',
    arguments: { command: 'sleep 0.2; exit 7', wait_ms: 0 },
  });
  const taskId = started.taskId as string;
  server.send('subscriptions/listen', { notifications: { taskIds: [taskId] } });
  await server.notified('notifications/tasks');
  await waitFor(async () => (await pendingIn(session)).includes(taskId), 'the end');
  await server.request('tasks/get', { taskId });
  await server.call('tasks');
  assert.deepEqual(await pendingIn(session), [taskId]);
  await server.crash();
  assert.deepEqual(await pendingIn(session), [taskId]);
});

test('in a conversation of prompt answers each end is told once, without reminders', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const told: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    const taskId = await endUntold(server, session, 'true');
    const answer = await answerThatTells(server);
    assert.deepEqual([ridersOf(answer), notesIn(answer)], [[taskId], nothing]);
    told.push(taskId);
  }
  await server.call('tasks');
  await waitFor(async () => (await pendingIn(session)).length === 0, 'the acknowledgements');
  assert.equal(new Set(told).size, 12);
});

test('a client may confirm that it has received an end, with any call', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const { taskId } = (await server.call('run', { command: 'sleep 2.2' })).structuredContent.task;
  const received = [taskId, 'bgb-000000000000', '../x', 7];
  const answer = await server.request('tools/call', {
    name: 'tasks',
    arguments: {},
    _meta: { 'outlive/received': received },
  });
  assert.doesNotMatch(JSON.stringify(answer.content), /Told before/);
  assert.deepEqual(await pendingIn(session), []);
});
