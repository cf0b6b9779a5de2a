import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEnded } from '../../../src/index.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { World, waitFor } from '../../support/world.ts';

const wrong: readonly [tool: string, args: Record<string, unknown>, says: RegExp][] = [
  ['run', {}, /command/],
  ['run', { command: 5 }, /command/],
  ['run', { command: '' }, /command/],
  ['run', { command: 'a\0b' }, /INVALID_COMMAND/],
  ['run', { command: ['ls'] }, /command/],
  ['run', { command: 'true', cwd: '/no/such/folder' }, /INVALID_CWD/],
  ['run', { command: 'true', cwd: 5 }, /cwd/],
  ['run', { command: 'true', timeout_ms: 'soon' }, /timeout_ms/],
  ['run', { command: 'true', timeout_ms: 0 }, /timeout_ms/],
  ['run', { command: 'true', timeout_ms: 1e300 }, /timeout_ms/],
  ['run', { command: 'true', wait_ms: -1 }, /wait_ms/],
  ['run', { command: 'true', name: 'x'.repeat(300) }, /name/],
  ['wait', { task: {} }, /task/],
  ['wait', { task: 'nobody' }, /TASK_NOT_FOUND/],
  ['wait', { pattern: 'x' }, /INVALID_ARGUMENT.*task/],
  ['wait', { timeout_ms: 1.5 }, /timeout_ms/],
  ['output', {}, /task/],
  ['output', { task: 'bgb-000000000000' }, /TASK_NOT_FOUND/],
  ['output', { task: '../../etc/passwd' }, /TASK_NOT_FOUND/],
  ['output', { task: 'nobody', head: true, offset: 5 }, /INVALID_ARGUMENT.*head/],
  ['watch', { task: 'nobody' }, /pattern/],
  ['watch', { task: 'nobody', pattern: 'x' }, /TASK_NOT_FOUND/],
  ['kill', { task: '' }, /task/],
  ['kill', { task: 'nobody', kill_signal: 'SIGNONE' }, /kill_signal/],
  ['tasks', { limit: 0 }, /limit/],
];

test('wrong arguments are refused with what was expected, and nothing is started', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  for (const [tool, args, says] of wrong) {
    const { isError, content } = await server.call(tool, args);
    assert.equal(isError, true, `${tool} ${JSON.stringify(args)}`);
    assert.match(content[0]?.text ?? '', says);
  }
  assert.deepEqual(world.taskIds(), []);
});

const slips: readonly [tool: string, args: Record<string, unknown>, slip: string, meant: string][] = [
  ['run', { command: 'true' }, 'timeout', 'timeout_ms'],
  ['wait', {}, 'patern', 'pattern'],
  ['wait', {}, 'timeout', 'timeout_ms'],
  ['output', { task: 'it' }, 'max_byte', 'max_bytes'],
  ['tasks', {}, 'limt', 'limit'],
  ['kill', { task: 'it' }, 'kil_signal', 'kill_signal'],
];

test('an unknown argument is refused by name, before anything happens', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const task = await (await world.session('s')).spawn('sleep 1000', { name: 'it' });
  for (const [tool, args, slip, meant] of slips) {
    const { isError, content } = await server.call(tool, { ...args, [slip]: 5 });
    const text = content[0]?.text ?? '';
    assert.ok(isError && text.startsWith('INVALID_ARGUMENT: '), text);
    assert.ok(text.includes(`unknown: "${slip}" (did you mean "${meant}"?)`), text);
  }
  assert.deepEqual(world.taskIds(), [task.id]);
  assert.ok(!isEnded(task.snapshot().status));
});

test('the schema of every tool says that it takes no other arguments', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  const { tools } = (await server.request('tools/list')) as {
    tools: { name: string; inputSchema: { additionalProperties?: unknown } }[];
  };
  assert.equal(tools.length, 8);
  for (const { name, inputSchema } of tools) assert.equal(inputSchema.additionalProperties, false, name);
});

test('a pattern that cannot be matched in linear time is refused', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  await server.call('run', { command: 'true', name: 'it' });
  const { isError, content } = await server.call('wait', { task: 'it', pattern: '(a)\\1' });
  assert.equal(isError, true);
  assert.match(content[0]?.text ?? '', /INVALID_ARGUMENT/);
});

test('an unknown tool or method is a protocol error', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  assert.equal((await server.ask('tools/call', { name: 'rm', arguments: {} })).error?.code, -32602);
  assert.equal((await server.ask('tools/call', { arguments: {} })).error?.code, -32602);
  assert.equal((await server.ask('tasks/list', {})).error?.code, -32601);
  assert.equal((await server.ask('tasks/result', { taskId: 'bgb-000000000000' })).error?.code, -32601);
});

const argumentsOf: Readonly<Record<string, object>> = { wait: { timeout_ms: 0 }, watch: { pattern: 'x' } };

for (const generation of [1, 2] as const) {
  test(`generation ${generation}: a task of another session can be read and stopped by its full id`, async () => {
    await using world = new World();
    const other = await (await world.session('other')).spawn('sleep 1000', { name: 'dev' });
    await using server = await McpProcess.start(world, { generation, session: 's', tasks: true });
    const textOf = async (tool: string, task: string): Promise<string> =>
      (await server.call(tool, { task, ...argumentsOf[tool] })).content[0]?.text ?? '';
    const methods = generation === 1 ? ['get', 'result', 'cancel'] : ['get', 'update', 'cancel'];
    for (const tool of ['wait', 'output', 'kill', 'watch', 'screen']) {
      for (const task of ['dev', other.id.slice(0, -1), 'bgb-000000000000'])
        assert.match(await textOf(tool, task), /TASK_NOT_FOUND/, `${tool} ${task}`);
    }
    // A session that nobody has open would be taken over.
    await waitFor(
      () => world.files().some((path) => /\/open-[^/]+$/.test(path)),
      'the session to be marked as open',
    );
    for (const tool of ['watch', 'screen'])
      assert.match(await textOf(tool, other.id), /TASK_NOT_FOUND/, tool);
    for (const taskId of ['bgb-000000000000', '../x', '', 5]) {
      for (const method of methods) {
        const { error } = await server.ask(`tasks/${method}`, { taskId });
        assert.equal(error?.code, -32602, `${method} ${taskId}`);
      }
    }
    assert.equal(other.snapshot().status, 'running');
    for (const tool of ['wait', 'output']) assert.match(await textOf(tool, other.id), /running/, tool);
    assert.equal((await server.request('tasks/get', { taskId: other.id })).status, 'working');
    assert.match(await textOf('kill', other.id), /killed/);
  });
}

test('two clients in one folder have separate sessions, each the same after a restart', async () => {
  await using world = new World();
  const ran = async (clientName: string, generation: 1 | 2) => {
    await using server = await McpProcess.start(world, { clientName, generation });
    await server.call('run', { command: 'true' });
    return (await server.call('tasks', { all: true })).structuredContent.tasks as unknown[];
  };
  assert.deepEqual([(await ran('one', 1)).length, (await ran('two', 2)).length], [1, 1]);
  assert.deepEqual([(await ran('one', 2)).length, (await ran('two', 1)).length], [2, 2]);
});

test('a conversation that the requests name has its own session on the same server', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  const run = async (threadId: string) => {
    const params = { name: 'run', arguments: { command: 'true' }, _meta: { threadId } };
    await server.request('tools/call', params);
  };
  await run('thread-1');
  await run('thread-2');
  assert.deepEqual((await world.store()).sessions(), ['thread-1', 'thread-2']);
});
