import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { taskUri } from '../../../src/mcp/resources/uris.ts';
import { McpProcess, ridersOf } from '../../support/mcp-process.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

const subscription = 'io.modelcontextprotocol/subscriptionId';

/** Starts a command as an MCP task. */
async function start(server: McpProcess, command: string): Promise<string> {
  const result = await server.request('tools/call', { name: 'run', arguments: { command, wait_ms: 0 } });
  assert.equal(result.resultType, 'task');
  return String(result.taskId);
}

/** Listens for tasks, and gives the subscription's id and the tasks that the server acknowledged. */
async function listen(server: McpProcess, notifications: Record<string, unknown>) {
  const { id } = server.send('subscriptions/listen', { notifications });
  const isOurs = (params: Record<string, unknown>): boolean =>
    (params._meta as Record<string, unknown>)[subscription] === id;
  const params = await server.notified('notifications/subscriptions/acknowledged', isOurs);
  return { id, acknowledged: params.notifications as Record<string, unknown> };
}

test('a client that listens for a task gets its result pushed, which counts as delivered', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const taskId = await start(server, 'sleep 0.4; echo made; exit 6');
  const { id, acknowledged } = await listen(server, { taskIds: [taskId, 'bgb-000000000000'] });
  assert.deepEqual(acknowledged, { taskIds: [taskId] });
  const told = await server.notified('notifications/tasks');
  assert.deepEqual([told.taskId, told.status], [taskId, 'completed']);
  assert.deepEqual(told._meta, { [subscription]: id });
  assert.match(JSON.stringify(told.result), /exit code 6.*made/);
  // This process hears of it by an event.
  await waitFor(async () => (await session.pending()).length === 1, 'what is pending');
  assert.deepEqual(ridersOf(await server.call('tasks')), []);
  // The call may have been on its way before the push was read.
  assert.equal((await session.pending()).length, 1);
  assert.deepEqual(ridersOf(await server.call('tasks')), []);
  await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgement');
});

test('a client that listens for an ended task is told at once', async () => {
  await using world = new World();
  const session = await world.session('s');
  const task = await session.spawn('exit 2');
  await task.wait({ ack: false });
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  await server.request('server/discover');
  await listen(server, { taskIds: [task.id] });
  assert.equal((await server.notified('notifications/tasks')).taskId, task.id);
});

test('an error for one task is reported, and the client still listens for the others', async () => {
  await using world = new World();
  await using server = await startMistaken(world, 2);
  const go = `${world.base}/go`;
  const taskId = await start(server, `until [ -e ${go} ]; do sleep 0.02; done; exit 6`);
  const resources = [taskUri('bgb-000000000000'), taskUri(taskId)];
  const { acknowledged } = await listen(server, {
    taskIds: ['bgb-000000000000', taskId],
    resourceSubscriptions: resources,
  });
  assert.deepEqual(acknowledged, { taskIds: [taskId], resourceSubscriptions: resources });
  writeFileSync(go, '');
  assert.equal((await server.notified('notifications/tasks')).taskId, taskId);
  await server.notified('notifications/resources/updated', ({ uri }) => uri === resources[1]);
  const told = readFileSync(join(world.base, 'warnings'), 'utf8');
  for (const doing of ['finding a task', 'checking a resource'])
    assert.match(told, new RegExp(`${doing} .*a planted mistake`));
});

test('a client of 2025-11-25 that subscribes to an unreadable resource is still told of the others', async () => {
  await using world = new World();
  await using server = await startMistaken(world, 1);
  const go = `${world.base}/go`;
  const command = `until [ -e ${go} ]; do sleep 0.02; done`;
  const { task } = (await server.call('run', { command, wait_ms: 0 })).structuredContent;
  const uri = taskUri(task.taskId);
  await server.request('resources/subscribe', { uri: taskUri('bgb-000000000000') });
  await server.request('resources/subscribe', { uri });
  writeFileSync(go, '');
  await server.notified('notifications/resources/updated', (params) => params.uri === uri);
  assert.match(readFileSync(join(world.base, 'warnings'), 'utf8'), /a planted mistake/);
});

/** A server in which one task cannot be looked at, and whose warnings go into a file of the world. */
async function startMistaken(world: World, generation: 1 | 2): Promise<McpProcess> {
  const program = [
    '--import',
    pathToFileURL(fixturePath('mistaken-about-a-task.mjs')).href,
    fixturePath('mcp-server.mjs'),
  ];
  const env = { OUTLIVE_TEST_SCRATCH: world.base };
  return await McpProcess.start(world, { session: 's', generation, tasks: true, program, env });
}

test('a client that has stopped listening is sent nothing', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const taskId = await start(server, 'sleep 1000');
  const { id } = await listen(server, { taskIds: [taskId] });
  server.notify('notifications/cancelled', { requestId: id });
  await server.request('tasks/cancel', { taskId });
  assert.equal((await server.request('tasks/get', { taskId })).status, 'cancelled');
  assert.ok(!server.notifications.some(({ method }) => method === 'notifications/tasks'));
});

test('undeclared and missing tasks are not listened for', async () => {
  await using world = new World();
  const other = await (await world.session('other')).spawn('sleep 1000');
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const { acknowledged } = await listen(server, { taskIds: ['bgb-000000000000'], toolsListChanged: true });
  assert.deepEqual(acknowledged.taskIds, undefined);
  await using plain = await McpProcess.start(world, { session: 'other' });
  assert.equal((await listen(plain, { taskIds: [other.id] })).acknowledged.taskIds, undefined);
});

test('an invalid filter is refused, and the connection goes on', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const { error } = await server.send('subscriptions/listen', { notifications: 5 }).answer;
  assert.equal(error?.code, -32602);
  await listen(server, { taskIds: 'not a list' });
  assert.equal((await server.call('tasks')).isError, undefined);
});
