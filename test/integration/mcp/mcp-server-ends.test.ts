import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

test('the server ends with its stdin, and its tasks go on', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const { taskId } = (await server.call('run', { command: 'sleep 1000', wait_ms: 0 })).structuredContent.task;
  // A call that waits does not hold it.
  server.send('tools/call', { name: 'wait', arguments: { task: taskId } });
  assert.equal(await server.close(), 0);
  await untilStarted(world, taskId);
  assert.equal((await world.session('s')).task(taskId).snapshot().status, 'running');
});

test('two servers of one session see the same tasks, and killing one harms no task', async () => {
  await using world = new World();
  await using first = await McpProcess.start(world, { session: 's' });
  await using second = await McpProcess.start(world, { generation: 1, session: 's' });
  const { taskId } = (await first.call('run', { command: 'sleep 1000', wait_ms: 0 })).structuredContent.task;
  assert.match((await second.call('tasks')).content[0]?.text ?? '', new RegExp(taskId));
  await first.crash();
  await untilStarted(world, taskId);
  const output = await second.call('output', { task: taskId });
  assert.equal(output.structuredContent.task.status, 'running');
  const killed = await second.call('kill', { task: taskId, grace_ms: 0 });
  assert.equal(killed.structuredContent.task.status, 'killed');
});

test('a command that is started while the server is killed is recorded, or never ran', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('tasks');
  const args = { command: `echo ran >> ${world.base}/ran; sleep 1000`, wait_ms: 0 };
  for (let count = 0; count < 5; count += 1) server.send('tools/call', { name: 'run', arguments: args });
  await waitFor(() => world.taskIds().length > 1, 'the first tasks');
  await server.crash();
  const session = await world.session('s');
  const settled = async (): Promise<boolean> =>
    (await session.tasks()).every(({ status }) => status === 'running' || status === 'failed');
  await waitFor(settled, 'each task to run or to have failed');
  for (const task of await session.tasks()) assert.equal(task.status === 'running', isLive(task.pid ?? 0));
});

test('only the protocol is on stdout, whatever comes in', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.request('server/discover');
  for (const line of [
    '',
    'no json',
    '[]',
    '5',
    'null',
    '{}',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"1.0","id":1}',
  ])
    server.write(line);
  server.write('[{"jsonrpc":"2.0","id":"b","method":"ping"}]');
  server.write({ jsonrpc: '2.0', id: 'unknown', result: {} });
  assert.equal((await server.ask('no/such/method')).error?.code, -32601);
  assert.equal((await server.ask('tools/call', { name: 'run', arguments: 'text' })).error?.code, -32602);
  assert.equal((await server.call('tasks')).isError, undefined);
  for (const line of server.lines) assert.equal(JSON.parse(line).jsonrpc, '2.0');
  assert.equal(server.stderr, '');
});
