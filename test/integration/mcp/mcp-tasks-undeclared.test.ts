import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modernBody, modernHeaders, startHttp } from '../../support/mcp-http.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

const extension = 'io.modelcontextprotocol/tasks';
const methods = ['tasks/get', 'tasks/update', 'tasks/cancel'] as const;

test('a client that did not declare the extension in its request is refused every method of it', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's', tasks: false });
  const { taskId } = (await server.call('run', { command: 'sleep 1000', wait_ms: 0 })).structuredContent.task;
  for (const method of methods)
    for (const named of [taskId, 'bgb-000000000000']) {
      const { error } = await server.ask(method, { taskId: named });
      assert.equal(error?.code, -32_021, method);
      assert.match(error?.message ?? '', /declares the extension io\.modelcontextprotocol\/tasks/);
      const { data } = error as unknown as { data: unknown };
      assert.deepEqual(data, { requiredCapabilities: { extensions: { [extension]: {} } } });
    }
  assert.match(
    (await server.call('output', { task: taskId })).structuredContent.task.status,
    /^(?:starting|running)$/,
  );
});

test('over HTTP a client that did not declare the extension is refused with status 400', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  for (const method of methods) {
    const body = modernBody(method, { taskId: 'bgb-000000000000' });
    const headers = modernHeaders(body);
    const { params } = body as { params: { _meta: Record<string, unknown> } };
    params._meta['io.modelcontextprotocol/clientCapabilities'] = {};
    const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify(body) });
    const { error } = (await response.json()) as { error: { code: number } };
    assert.deepEqual([response.status, error.code], [400, -32_021], method);
  }
});
