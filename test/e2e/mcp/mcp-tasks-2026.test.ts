import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Modern } from '../../support/mcp-clients.ts';
import { untilStarted, untilTwoSleep } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

test('a command that goes on after its foreground window is a task, and its result arrives', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const execution = await modern.tasks.callTool('run', { command: 'sleep 0.4; echo made', wait_ms: 0 });
  assert.equal(execution.kind, 'task');
  const { outcome } = await execution.settle();
  assert.equal(outcome.status, 'completed');
  assert.match(JSON.stringify(outcome), /made\\n/);
});

test('a command that ends in its foreground window is answered at once', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const execution = await modern.tasks.callTool('run', { command: 'echo quick' });
  assert.equal(execution.kind, 'immediate');
  assert.match(JSON.stringify((await execution.settle()).outcome), /quick/);
});

test('a command that fails completes its task, and its exit code is a result', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const execution = await modern.tasks.callTool('run', { command: 'sleep 0.3; exit 5', wait_ms: 0 });
  const { outcome, lastTask } = await execution.settle();
  assert.deepEqual([outcome.status, lastTask?.status], ['completed', 'completed']);
  assert.ok(outcome.status === 'completed' && outcome.result.isError === undefined);
  assert.match(JSON.stringify(outcome.result), /exit code 5/);
});

test('an MCP task is the outlive task with that id, and was durable before the answer', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const execution = await modern.tasks.callTool('run', { command: 'sleep 1000', wait_ms: 0 });
  await modern.crash();
  await untilStarted(world, ...world.taskIds());
  const session = await world.session('s');
  assert.equal(session.task(execution.handle?.taskId ?? '').snapshot().status, 'running');
});

test('a task whose server is killed is resumed at the next server, with the right result', async () => {
  await using world = new World();
  const reference = await (async () => {
    await using modern = await Modern.start(world);
    const execution = await modern.tasks.callTool('run', {
      command: 'sleep 0.5; echo late; exit 4',
      wait_ms: 0,
    });
    assert.ok(execution.kind === 'task');
    const kept = execution.serializeReference();
    await execution.detach();
    await modern.crash();
    return kept;
  })();
  await using modern = await Modern.start(world);
  const { outcome } = await (await modern.tasks.resumeTask(reference)).settle();
  assert.equal(outcome.status, 'completed');
  assert.match(JSON.stringify(outcome), /late.*"exitCode":4/);
});

test('a fetched result does not ride on another answer, and counts as delivered when a later answer is read', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using modern = await Modern.start(world);
  const execution = await modern.tasks.callTool('run', { command: 'sleep 0.3', wait_ms: 0 });
  await execution.settle();
  // This process hears of it by an event.
  await waitFor(async () => (await session.pending()).length === 1, 'what is pending');
  const answer = await modern.client.callTool({ name: 'tasks', arguments: {} });
  assert.equal((answer.structuredContent as { completions?: unknown }).completions, undefined);
  assert.equal((await session.pending()).length, 1);
  // An answer that took longer than two seconds shows nothing; the next one does.
  await waitFor(async () => {
    await modern.client.callTool({ name: 'tasks', arguments: {} });
    return (await session.pending()).length === 0;
  }, 'the acknowledgement');
});

test('tasks/cancel stops the whole tree before it is answered', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const command = '(setsid sleep 1000 &) ; sleep 1000';
  const execution = await modern.tasks.callTool('run', { command, wait_ms: 0 });
  const taskId = execution.handle?.taskId ?? '';
  await untilTwoSleep(world, taskId);
  await modern.tasks.cancelTask(execution.handle?.taskId ?? ('' as never));
  assert.deepEqual(world.pidsOf(taskId), []);
  assert.equal((await execution.settle()).outcome.status, 'cancelled');
});

test('a client that does not declare the extension gets no task', async () => {
  await using world = new World();
  await using modern = await Modern.start(world);
  const params = { name: 'run', arguments: { command: 'sleep 1000', wait_ms: 0 } };
  const meta = { 'io.modelcontextprotocol/clientCapabilities': {} };
  const result = await modern.client.callTool({ ...params, _meta: meta });
  assert.match(JSON.stringify(result.content), /goes on in the background/);
});
