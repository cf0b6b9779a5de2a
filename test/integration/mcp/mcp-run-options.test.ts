import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { fixturePath, World } from '../../support/world.ts';

/** The task that an answer is about. */
async function taskOf(server: McpProcess, args: Record<string, unknown>) {
  const { isError, content, structuredContent } = await server.call('run', args);
  assert.equal(isError, undefined, content[0]?.text);
  return structuredContent.task;
}

test('run takes variables, labels and limits', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's', env: { GONE: 'here', KEPT: 'kept' } });
  const { taskId } = await taskOf(server, {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expansion of the shell
    command: 'echo "$ADDED ${GONE-gone} $KEPT"; ulimit -t',
    env: { ADDED: 'added', GONE: null },
    labels: { ticket: '4711' },
    cpu_seconds: 7,
    grace_ms: 5,
    max_output_bytes: 1_000,
  });
  const { output, labels } = session.task(taskId).snapshot();
  assert.deepEqual([output.preview, labels], ['added gone kept\n7\n', { ticket: '4711' }]);
  const { bounds } = await (await world.store()).inspect(taskId);
  assert.deepEqual([bounds.graceMs, bounds.maxOutputBytes], [5, 1_000]);
});

test('limits on memory and processes reach the task', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const { taskId } = await taskOf(server, { command: 'true', memory_bytes: 2 ** 30, processes: 4_000 });
  const { limits } = session.task(taskId).snapshot();
  assert.deepEqual(
    limits.map(({ limit, value }) => [limit, value]),
    [
      ['memoryBytes', 2 ** 30],
      ['processes', 4_000],
    ],
  );
});

test('run starts a task after another one, given by its name', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const command = `until [ -e ${world.base}/go ]; do sleep 0.02; done; echo built`;
  await taskOf(server, { command, name: 'build', wait_ms: 0 });
  const next = await taskOf(server, { command: 'echo tested', after: 'build', wait_ms: 0 });
  assert.equal(next.status, 'queued');
  await taskOf(server, { command: `touch ${world.base}/go` });
  const waited = await server.call('wait', { task: next.taskId });
  assert.match(waited.content[0]?.text ?? '', /completed.*\n\| tested$/);
  const refused = await server.call('run', { command: 'true', after: 'nobody' });
  assert.match(refused.content[0]?.text ?? '', /^TASK_NOT_FOUND/);
});

test('a bound task ends with the program that started the server, and others go on', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const bound = await taskOf(server, { command: 'sleep 1000', bind: true, wait_ms: 0 });
  const free = await taskOf(server, { command: 'sleep 1000', wait_ms: 0 });
  const store = await world.store();
  const pidOf = async (taskId: string): Promise<unknown> => {
    const { bindTo } = await store.inspect(taskId);
    return bindTo !== null && typeof bindTo === 'object' ? bindTo.pid : bindTo;
  };
  // This process has started the server.
  assert.deepEqual([await pidOf(bound.taskId), await pidOf(free.taskId)], [process.pid, null]);
  await server.crash();
  assert.equal(session.task(bound.taskId).snapshot().status, 'running');
});

/** Other names, and values as text, with what `run` is to make of them. */
const meant: readonly (readonly [args: Record<string, unknown>, printed: RegExp])[] = [
  [{ cmd: 'echo one' }, /\| one$/],
  [{ command: 'pwd', workdir: '/' }, /\| \/$/],
  [{ command: 'pwd', working_directory: '/' }, /\| \/$/],
  [{ command: 'echo $A', environment: { A: 'b' } }, /\| b$/],
  [{ command: 'echo $A', env: '{"A":"b"}' }, /\| b$/],
  [{ command: 'echo hi', timeout_ms: '60000', wait_ms: '20000' }, /\| hi$/],
  [{ command: 'echo hi', timeoutMs: 60_000 }, /\| hi$/],
  [{ command: 'echo hi', 'wait-ms': ' 20000 ' }, /\| hi$/],
  [{ command: 'echo hi', timeout_ms: 'null', name: null, cwd: null }, /\| hi$/],
  [{ command: 'cat', stdin: '{"data":"typed"}' }, /\| typed$/],
  [{ command: 'test -t 1 || echo none', tty: 'false' }, /\| none$/],
  [{ command: 'echo hi', run_in_background: false }, /\| hi$/],
  // A text stays one, also where it looks like a number.
  [{ command: 'echo "$OUTLIVE_TASK" | wc -l', name: '5' }, /"5" completed/],
];

test('clear arguments are accepted: other names, and numbers, flags and objects as text', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  for (const [args, printed] of meant) {
    const { content, isError } = await server.call('run', args);
    assert.equal(isError, undefined, content[0]?.text);
    assert.match(content[0]?.text ?? '', printed, JSON.stringify(args));
  }
  for (const flag of ['run_in_background', 'is_background', 'background']) {
    const answer = await server.call('run', {
      command: 'sleep 1000',
      [flag]: flag === 'background' ? 'true' : true,
    });
    assert.match(answer.content[0]?.text ?? '', /goes on in the background/);
    const { taskId } = answer.structuredContent.task;
    const killed = await server.call('kill', { taskId, signal: 'SIGKILL' });
    assert.equal(killed.structuredContent.task.status, 'killed');
  }
});

test('an argument that is given twice, or that is unknown, is refused by name', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  for (const [args, says] of [
    [{ command: 'true', cmd: 'false' }, /unknown: "cmd"/],
    [{ command: 'true', wait_ms: 5, waitMs: 6 }, /unknown: "waitMs"/],
    [{ command: 'true', run_in_background: 'later' }, /unknown: "run_in_background"/],
    [{ command: 'true', description: 'Says that all is well' }, /unknown: "description"/],
    [{ command: 'true', timeout_ms: 'soon' }, /timeout_ms/],
    [{ command: 'true', timeout_ms: '[5]' }, /timeout_ms/],
    [{ command: 'true', env: { A: 5 } }, /env\.A/],
    [{ command: 'true', env: 'A=5' }, /env/],
    [{ command: 'true', __proto__x: 1 }, /unknown: "__proto__x"/],
    [{ command: 'true', constructor: 1 }, /unknown: "constructor"/],
  ] as const) {
    const { content, isError } = await server.call('run', args);
    assert.equal(isError, true, JSON.stringify(args));
    assert.match(content[0]?.text ?? '', says);
  }
  assert.deepEqual(world.taskIds(), []);
});

/** The ten seconds between two messages of progress, in no time. */
const quick = `const { setInterval } = globalThis;
globalThis.setInterval = (call, ms) => setInterval(call, ms === 10_000 ? 20 : ms);`;

test('progress and the status of an MCP task tell the last line that a task has written', async () => {
  await using world = new World();
  const program = [
    '--import',
    `data:text/javascript,${encodeURIComponent(quick)}`,
    fixturePath('mcp-server.mjs'),
  ];
  await using server = await McpProcess.start(world, { session: 's', program, tasks: true });
  const command = 'printf "compiling 1 of 9\\r\\033[31mcompiling 2 of 9\\033[0m\\a"; sleep 1000';
  const args = { command, name: 'it', wait_ms: 500 };
  const created = await server.request('tools/call', {
    name: 'run',
    arguments: args,
    _meta: { progressToken: 7 },
  });
  const { statusMessage } = await server.request('tasks/get', { taskId: created.taskId });
  assert.match(String(statusMessage), /^running [\d.]+ m?s \| compiling 2 of 9$/);
  server.send('tools/call', { name: 'wait', arguments: { task: 'it' }, _meta: { progressToken: 8 } });
  const { message } = await server.notified(
    'notifications/progress',
    ({ progressToken, message: said }) => progressToken === 8 && String(said).includes('compiling'),
  );
  assert.match(String(message), /^\d+ s: wait running [\d.]+ m?s \| compiling 2 of 9$/);
});
