import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Modern } from '../../support/mcp-clients.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { fixture, World } from '../../support/world.ts';

test('with --structured every tool has a schema for its answer, and its answers match it', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const { tools } = await modern.client.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['run', 'wait', 'watch', 'output', 'send', 'screen', 'tasks', 'kill'],
  );
  const readOnly = tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name);
  assert.deepEqual(readOnly, ['wait', 'output', 'screen', 'tasks']);
  for (const tool of tools) {
    assert.ok(tool.inputSchema.type === 'object' && tool.outputSchema?.type === 'object', tool.name);
    assert.ok(tool.description, tool.name);
  }
  // The client of the SDK checks each structured answer against the schema.
  for (const args of [{ command: 'echo hello', name: 'a name' }, { command: 'exit 3' }]) {
    assert.ok((await modern.client.callTool({ name: 'run', arguments: args })).structuredContent);
  }
  for (const [name, args] of [
    ['tasks', { all: true }],
    ['output', { task: 'a name' }],
    ['output', { task: 'a name', pattern: 'h' }],
    ['wait', { task: 'a name' }],
    ['wait', {}],
    ['kill', { task: 'a name' }],
    ['watch', { task: 'runs', pattern: 'h' }],
  ] as const) {
    if (name === 'watch') await (await world.session('s')).spawn('sleep 1000', { name: 'runs' });
    assert.ok((await modern.client.callTool({ name, arguments: args })).structuredContent, name);
  }
});

test('output reads from an offset, and says where to read on', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  await server.call('run', { command: 'printf "one\\ntwo\\nthree\\n"', name: 'counter' });
  const first = await server.call('output', { task: 'counter', offset: 0, max_bytes: 4 });
  assert.deepEqual(
    [first.structuredContent.output.text, first.structuredContent.output.nextOffset],
    ['one\n', 4],
  );
  const rest = await server.call('output', { task: 'counter', offset: 4 });
  assert.equal(rest.structuredContent.output.text, 'two\nthree\n');
});

test('a huge output gives a small answer, which says what it leaves out and where the whole output is', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  const ran = await server.call('run', {
    command: 'yes "a line of output" | head -c 20000000',
    wait_ms: 20_000,
  });
  assert.ok(JSON.stringify(ran).length < 16_000);
  const { output } = ran.structuredContent;
  assert.equal(output.omittedBytes, 20_000_000 - Buffer.byteLength(output.text));
  assert.ok((ran.content[0]?.text ?? '').includes(output.path));
  const most = await server.call('output', { task: ran.structuredContent.task.taskId, max_bytes: 65_536 });
  assert.ok(JSON.stringify(most).length < 200_000);
});

test('wait ends at a line that matches, at a port, at silence, and at the end', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  const command = `echo starting; ${fixture('listens.mjs')}`;
  const { taskId } = (await server.call('run', { command, wait_ms: 0 })).structuredContent.task;
  const line = await server.call('wait', { task: taskId, pattern: '^start.*g$' });
  assert.deepEqual(
    [line.structuredContent.cause, line.structuredContent.match],
    ['pattern', { line: 'starting', nextOffset: 8 }],
  );
  assert.equal((await server.call('wait', { task: taskId, idle_ms: 50 })).structuredContent.cause, 'idle');
  assert.equal(
    (await server.call('wait', { task: taskId, timeout_ms: 0 })).structuredContent.cause,
    'timeout',
  );
  await server.call('kill', { task: taskId, grace_ms: 0 });
  assert.equal(
    (await server.call('wait', { task: taskId, pattern: 'never' })).structuredContent.cause,
    'exit',
  );
});

test('wait without a task waits for the next end', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  await server.call('run', { command: 'sleep 1000', wait_ms: 0 });
  const { taskId } = (await server.call('run', { command: 'sleep 0.5; exit 3', wait_ms: 0 }))
    .structuredContent.task;
  const { structuredContent } = await server.call('wait');
  assert.deepEqual([structuredContent.task.taskId, structuredContent.task.exitCode], [taskId, 3]);
  await server.call('tasks');
  assert.equal((await server.call('wait', { timeout_ms: 20 })).structuredContent.cause, 'timeout');
});
