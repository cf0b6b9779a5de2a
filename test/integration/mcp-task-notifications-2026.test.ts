import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess, ridersOf } from '../support/mcp-process.ts';
import { World, waitFor } from '../support/world.ts';

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

test('a client that listens for a task gets its result pushed, which counts as a delivery', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const taskId = await start(server, 'sleep 0.4; echo made; exit 6');
  const { id, acknowledged } = await listen(server, { taskIds: [taskId, 'bgb-00000000'] });
  assert.deepEqual(acknowledged, { taskIds: [taskId] });
  const told = await server.notified('notifications/tasks');
  assert.deepEqual([told.taskId, told.status], [taskId, 'completed']);
  assert.deepEqual(told._meta, { [subscription]: id });
  assert.match(JSON.stringify(told.result), /made.*"isError":true/);
  // This process hears of it by an event.
  await waitFor(async () => (await session.pending()).length === 1, 'what is owed');
  assert.deepEqual(ridersOf(await server.call('tasks')), []);
  await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgement');
});

test('a task that has ended already is told as soon as a client listens', async () => {
  await using world = new World();
  const session = await world.session('s');
  const task = await session.spawn('exit 2');
  await task.wait({ ack: false });
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  await server.request('server/discover');
  await listen(server, { taskIds: [task.id] });
  assert.equal((await server.notified('notifications/tasks')).taskId, task.id);
});

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

test('tasks that the client has not declared, or of another session, are not listened for', async () => {
  await using world = new World();
  const other = await (await world.session('other')).spawn('sleep 1000');
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const { acknowledged } = await listen(server, { taskIds: [other.id], toolsListChanged: true });
  assert.deepEqual(acknowledged.taskIds, undefined);
  await using plain = await McpProcess.start(world, { session: 'other' });
  assert.equal((await listen(plain, { taskIds: [other.id] })).acknowledged.taskIds, undefined);
});

test('a wrong filter is refused, and the connection stands', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's', tasks: true });
  const { error } = await server.send('subscriptions/listen', { notifications: 5 }).answer;
  assert.equal(error?.code, -32602);
  await listen(server, { taskIds: 'not a list' });
  assert.equal((await server.call('tasks')).isError, undefined);
});
