import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../support/mcp-process.ts';
import { World } from '../support/world.ts';

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
  ['output', { task: 'bgb-00000000' }, /TASK_NOT_FOUND/],
  ['output', { task: '../../etc/passwd' }, /TASK_NOT_FOUND/],
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

test('a pattern that cannot be matched in linear time is refused', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  await server.call('run', { command: 'true', name: 'it' });
  const { isError, content } = await server.call('wait', { task: 'it', pattern: '(a)\\1' });
  assert.equal(isError, true);
  assert.match(content[0]?.text ?? '', /INVALID_ARGUMENT/);
});

test('a tool or a method that does not exist is an error of the protocol', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  assert.equal((await server.ask('tools/call', { name: 'rm', arguments: {} })).error?.code, -32602);
  assert.equal((await server.ask('tools/call', { arguments: {} })).error?.code, -32602);
  assert.equal((await server.ask('tasks/list', {})).error?.code, -32601);
  assert.equal((await server.ask('tasks/result', { taskId: 'bgb-00000000' })).error?.code, -32601);
});

for (const generation of [1, 2] as const) {
  test(`generation ${generation}: a task of another session is found by no tool and by no method`, async () => {
    await using world = new World();
    const other = await (await world.session('other')).spawn('sleep 1000');
    await using server = await McpProcess.start(world, { generation, session: 's', tasks: true });
    for (const tool of ['wait', 'output', 'kill']) {
      assert.match(
        (await server.call(tool, { task: other.id })).content[0]?.text ?? '',
        /TASK_NOT_FOUND/,
        tool,
      );
    }
    const methods = generation === 1 ? ['get', 'result', 'cancel'] : ['get', 'update', 'cancel'];
    for (const taskId of [other.id, 'bgb-00000000', '../x', '', 5]) {
      for (const method of methods) {
        const { error } = await server.ask(`tasks/${method}`, { taskId });
        assert.equal(error?.code, -32602, `${method} ${taskId}`);
      }
    }
    assert.equal(other.snapshot().status, 'running');
  });
}

test('two clients of one folder have sessions of their own, each the same after a restart', async () => {
  await using world = new World();
  const ran = async (clientName: string, generation: 1 | 2) => {
    await using server = await McpProcess.start(world, { clientName, generation });
    await server.call('run', { command: 'true' });
    return (await server.call('tasks', { all: true })).structuredContent.tasks as unknown[];
  };
  assert.deepEqual([(await ran('one', 1)).length, (await ran('two', 2)).length], [1, 1]);
  assert.deepEqual([(await ran('one', 2)).length, (await ran('two', 1)).length], [2, 2]);
});

test('a conversation that the requests name has its own session, beside others of the same server', async () => {
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
