import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerThatTells, McpProcess, ridersOf, type ToolResult } from '../../support/mcp-process.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

// Session "s" is open here as well, so that what is pending can be seen from outside.

for (const generation of [1, 2] as const) {
  test(`generation ${generation}: a completion rides once, on the next answer of any tool, and is then acknowledged`, async () => {
    await using world = new World();
    const session = await world.session('s');
    await using server = await McpProcess.start(world, { generation, session: 's' });
    const { taskId } = (await server.call('run', { command: 'sleep 1; exit 7', wait_ms: 0 }))
      .structuredContent.task;
    await waitFor(async () => (await session.pending()).length === 1, 'the end');
    const told = await answerThatTells(server);
    assert.deepEqual(
      told.structuredContent.completions?.map((task) => task.exitCode),
      [7],
    );
    assert.match(told.content[1]?.text ?? '', new RegExp(`${taskId} failed \\(exit code 7\\)`));
    // The answer has been written, but nothing shows that it was read.
    assert.equal((await session.pending()).length, 1);
    assert.deepEqual(ridersOf(await server.call('tasks')), []);
    await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgement');
    assert.equal(session.task(taskId).snapshot().delivered, true);
  });
}

test('an answer that was written just before the server was killed is told again by the next server', async () => {
  await using world = new World();
  const session = await world.session('s');
  const taskId = await (async () => {
    await using server = await McpProcess.start(world, { session: 's' });
    const { task } = (await server.call('run', { command: 'sleep 1', wait_ms: 0 })).structuredContent;
    await waitFor(async () => (await session.pending()).length === 1, 'the end');
    assert.deepEqual(ridersOf(await answerThatTells(server)), [task.taskId]);
    await server.crash();
    return task.taskId;
  })();
  await using next = await McpProcess.start(world, { session: 's' });
  assert.deepEqual(ridersOf(await next.call('tasks')), [taskId]);
  assert.deepEqual(ridersOf(await next.call('tasks')), []);
});

test('ends that came while no server ran are told by the next one', async () => {
  await using world = new World();
  const session = await world.session('s');
  const task = await session.spawn('exit 3');
  await task.wait({ ack: false });
  await using server = await McpProcess.start(world, { session: 's' });
  assert.deepEqual(ridersOf(await server.call('tasks')), [task.id]);
});

test('a result of run or wait counts as delivered, and does not ride again', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const ran = await server.call('run', { command: 'true' });
  assert.deepEqual([ran.structuredContent.task.status, ridersOf(ran)], ['completed', []]);
  const slow = await server.call('run', { command: 'sleep 0.2', wait_ms: 0 });
  const waited = await server.call('wait', { task: slow.structuredContent.task.taskId });
  assert.deepEqual([waited.structuredContent.cause, ridersOf(waited)], ['exit', []]);
  assert.deepEqual(ridersOf(await server.call('tasks')), []);
  await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgements');
});

test('a request that was sent before the answer could be read proves nothing', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const running = (await server.call('run', { command: 'sleep 1000', wait_ms: 0 })).structuredContent.task;
  // A call is under way when the completion is told with another one's answer.
  const waiting = server.send('tools/call', {
    name: 'wait',
    arguments: { task: running.taskId, pattern: 'never' },
  });
  const ran = await server.call('run', { command: 'true' });
  await server.call('tasks');
  // This process hears of it by an event.
  await waitFor(async () => (await session.pending()).length > 0, 'what is pending');
  assert.deepEqual(
    (await session.pending()).map(({ taskId }) => taskId),
    [ran.structuredContent.task.taskId],
  );
  await server.call('kill', { task: running.taskId, grace_ms: 0 });
  await waiting.answer;
  await server.call('tasks');
  await server.call('tasks');
  await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgements');
});

test('an end in the answer of kill is acknowledged when the client has the answer, and not before', async () => {
  await using world = new World();
  const session = await world.session('s');
  const taskId = await (async () => {
    await using server = await McpProcess.start(world, { session: 's' });
    const { task } = (await server.call('run', { command: 'sleep 1000', wait_ms: 0 })).structuredContent;
    const killed = await server.call('kill', { task: task.taskId, grace_ms: 0 });
    assert.equal(killed.structuredContent.task.status, 'killed');
    assert.equal(session.task(task.taskId).snapshot().delivered, false);
    await server.crash();
    return task.taskId;
  })();
  await using next = await McpProcess.start(world, { session: 's' });
  assert.deepEqual(ridersOf(await next.call('kill', { task: taskId })), []);
  assert.equal(session.task(taskId).snapshot().delivered, false);
  assert.deepEqual(ridersOf(await next.call('tasks')), []);
  await waitFor(() => session.task(taskId).snapshot().delivered, 'the acknowledgement');
});

test('each answer tells ten of many pending completions, until all are told', async () => {
  await using world = new World();
  const session = await world.session('s');
  // Wine takes half a second for each.
  const many = onWindows ? 12 : 24;
  const tasks = await Promise.all(Array.from({ length: many }, () => session.spawn('true', { shell: 'sh' })));
  await Promise.all(tasks.map((task) => task.wait({ ack: false })));
  await using server = await McpProcess.start(world, { session: 's' });
  const answers: ToolResult[] = [];
  const told = (): string[] => answers.flatMap(ridersOf);
  await waitFor(async () => answers.push(await server.call('tasks')) > 0 && told().length >= many, 'all');
  assert.ok(answers.every((answer) => ridersOf(answer).length <= 10));
  assert.ok(Number(answers[0]?.structuredContent.moreCompletions) > 0);
  assert.deepEqual(told().sort(), tasks.map((task) => task.id).sort());
});
