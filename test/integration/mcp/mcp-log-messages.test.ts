import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

test('log messages tell only a client that has set a level of ends, and only from that level on', async () => {
  await using world = new World();
  await using quiet = await McpProcess.start(world, { generation: 1, session: 's' });
  await quiet.call('tasks');
  await using server = await McpProcess.start(world, { generation: 1, session: 's' });
  await server.request('logging/setLevel', { level: 'warning' });
  await server.call('run', { command: 'true' });
  const { task } = (await server.call('run', { command: 'exit 9' })).structuredContent;
  const { level, data } = await server.notified('notifications/message');
  assert.equal(level, 'warning');
  assert.deepEqual(
    [(data as { taskId: string }).taskId, (data as { exitCode: number }).exitCode],
    [task.taskId, 9],
  );
  const messages = [...server.notifications, ...quiet.notifications].filter(
    ({ method }) => method === 'notifications/message',
  );
  assert.equal(messages.length, 1);
});

test('a client of 2026-07-28 is sent log messages during a request that asks for them', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'exit 2' });
  const _meta = { 'io.modelcontextprotocol/logLevel': 'info' };
  await server.request('tools/call', { name: 'run', arguments: { command: 'exit 9' }, _meta });
  const { data } = await server.notified('notifications/message');
  assert.equal((data as { exitCode: number }).exitCode, 9);
});
