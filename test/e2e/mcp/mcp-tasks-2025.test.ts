import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { Legacy } from '../../support/mcp-clients.ts';
import { untilTwoSleep } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

/** Starts a command as a task, and gives its id as soon as it is there. */
async function startTask({ client }: Legacy, command: string): Promise<string> {
  await client.listTools();
  const stream = client.experimental.tasks.callToolStream(
    { name: 'run', arguments: { command } },
    CallToolResultSchema,
    { task: {} },
  );
  for await (const message of stream) if (message.type === 'taskCreated') return message.task.taskId;
  throw new Error('expected a task');
}

test('run is called as a task, and its stream ends with the result', async () => {
  await using world = new World();
  await using legacy = await Legacy.start(world);
  const { tools } = await legacy.client.listTools();
  const support = Object.fromEntries(tools.map((tool) => [tool.name, tool.execution?.taskSupport]));
  assert.deepEqual([support.run, support.wait], ['optional', 'forbidden']);
  const types: string[] = [];
  const params = { name: 'run', arguments: { command: 'sleep 0.3; echo made' } };
  for await (const message of legacy.client.experimental.tasks.callToolStream(params, CallToolResultSchema, {
    task: { ttl: 60_000 },
  })) {
    types.push(message.type);
    if (message.type === 'result') assert.match(JSON.stringify(message.result), /made/);
  }
  assert.deepEqual([types[0], types.at(-1)], ['taskCreated', 'result']);
});

test('a command that fails completes its task; its result has the exit code and names the task', async () => {
  await using world = new World();
  await using legacy = await Legacy.start(world);
  const taskId = await startTask(legacy, 'exit 5');
  const result = await legacy.client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema);
  assert.equal(result.isError, undefined);
  assert.deepEqual(result._meta?.['io.modelcontextprotocol/related-task'], { taskId });
  const task = await legacy.client.experimental.tasks.getTask(taskId);
  assert.equal(task.status, 'completed');
  assert.match(task.statusMessage ?? '', /exit code 5/);
});

test('tasks/result waits at the next server for a task whose server was killed', async () => {
  await using world = new World();
  const taskId = await (async () => {
    await using legacy = await Legacy.start(world);
    const started = await startTask(legacy, `until [ -e ${world.base}/go ]; do sleep 0.02; done; echo late`);
    await legacy.crash();
    return started;
  })();
  await using legacy = await Legacy.start(world);
  const { tasks } = await legacy.client.experimental.tasks.listTasks();
  assert.deepEqual(
    tasks.map((task) => [task.taskId, task.status]),
    [[taskId, 'working']],
  );
  const result = legacy.client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema);
  writeFileSync(`${world.base}/go`, '');
  assert.match(JSON.stringify(await result), /late/);
});

test('tasks/cancel answers when the tree is gone, and refuses a task that has ended', async () => {
  await using world = new World();
  await using legacy = await Legacy.start(world);
  const taskId = await startTask(legacy, '(setsid sleep 1000 &) ; sleep 1000');
  await untilTwoSleep(world, taskId);
  const cancelled = await legacy.client.experimental.tasks.cancelTask(taskId);
  assert.equal(cancelled.status, 'cancelled');
  assert.deepEqual(world.pidsOf(taskId), []);
  await assert.rejects(legacy.client.experimental.tasks.cancelTask(taskId), { code: -32602 });
});

test('the end of a task is notified, once', async () => {
  await using world = new World();
  await using legacy = await Legacy.start(world);
  const seen: unknown[] = [];
  legacy.client.fallbackNotificationHandler = async ({ method, params }) => {
    if (method === 'notifications/tasks/status') seen.push([params?.taskId, params?.status]);
  };
  const taskId = await startTask(legacy, 'sleep 0.2');
  await waitFor(() => seen.length > 0, 'the notification');
  await legacy.client.experimental.tasks.getTask(taskId);
  assert.deepEqual(seen, [[taskId, 'completed']]);
});

test('a tool that starts nothing cannot be called as a task, and an unknown cursor is refused', async () => {
  await using world = new World();
  await using legacy = await Legacy.start(world);
  const params = { name: 'tasks', arguments: {}, task: {} };
  await assert.rejects(legacy.client.request({ method: 'tools/call', params }, CallToolResultSchema), {
    code: -32601,
  });
  await assert.rejects(legacy.client.experimental.tasks.listTasks('no cursor'), { code: -32602 });
});
