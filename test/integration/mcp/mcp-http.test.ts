import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { modernBody, modernHeaders, post, startHttp, testToken } from '../../support/mcp-http.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

const requestInit = { headers: { authorization: `Bearer ${testToken}`, 'outlive-session': 's' } };

test('the client of 2026-07-28 runs a command over HTTP and is told of its end', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit }));
  assert.equal(client.getProtocolEra(), 'modern');
  const ran = await client.callTool({ name: 'run', arguments: { command: 'sleep 2; exit 4', wait_ms: 0 } });
  assert.match(JSON.stringify(ran.content), /goes on in the background/);
  const waited = await client.callTool({ name: 'wait', arguments: {} });
  assert.match(JSON.stringify(waited.content), /exit code 4/);
  const reminding = await client.callTool({ name: 'tasks', arguments: {} });
  assert.match(JSON.stringify(reminding.content), /Told before, unless that answer was lost/);
  await client.callTool({ name: 'tasks', arguments: {} });
  const session = await (await world.store()).session('s');
  await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgement');
  await client.close();
});

test('the client of 2025-11-25 calls a command as a task over HTTP', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const client = new LegacyClient({ name: 'test', version: '1' });
  const transport = new LegacyTransport(new URL(server.url), { requestInit });
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  await client.listTools();
  const params = { name: 'run', arguments: { command: 'sleep 0.2; echo made' } };
  const types: string[] = [];
  for await (const message of client.experimental.tasks.callToolStream(params, CallToolResultSchema, {
    task: {},
  })) {
    types.push(message.type);
    if (message.type === 'result') assert.match(JSON.stringify(message.result), /made/);
  }
  assert.deepEqual([types[0], types.at(-1)], ['taskCreated', 'result']);
  await client.close();
});

test('a task is found again after the server was killed and started again', async () => {
  await using world = new World();
  const start = async (port: number) => {
    const args = [fixturePath('mcp-http-server.mjs'), world.dir, String(port), testToken];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return {
      url: String(line).trim(),
      crash: async () => child.kill('SIGKILL') && (await once(child, 'exit')),
    };
  };
  const first = await start(0);
  const { taskId } = await post(first.url, 'tools/call', {
    name: 'run',
    arguments: { command: `until [ -e ${world.base}/go ]; do sleep 0.02; done; echo late`, wait_ms: 0 },
  });
  await first.crash();
  const second = await start(Number(new URL(first.url).port));
  assert.equal((await post(second.url, 'tasks/get', { taskId })).status, 'working');
  await post(second.url, 'tools/call', { name: 'run', arguments: { command: `touch ${world.base}/go` } });
  const ended = async () => (await post(second.url, 'tasks/get', { taskId })).status === 'completed';
  await waitFor(ended, 'the task to end');
  assert.match(JSON.stringify(await post(second.url, 'tasks/get', { taskId })), /late/);
  await second.crash();
});

test('a client that listens for a task over HTTP gets its result pushed, and then the end of the stream', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const { taskId } = await post(server.url, 'tools/call', {
    name: 'run',
    arguments: { command: 'sleep 0.3; exit 6', wait_ms: 0 },
  });
  const body = modernBody('subscriptions/listen', {
    notifications: { taskIds: [taskId, 'bgb-000000000000'] },
  });
  const options = { method: 'POST', headers: modernHeaders(body), body: JSON.stringify(body) };
  const events = await (await fetch(server.url, options)).text();
  const messages = [...events.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  const [acknowledged, told, end] = messages;
  assert.deepEqual(acknowledged.params.notifications, { taskIds: [taskId] });
  assert.deepEqual(
    [told.method, told.params.taskId, told.params.result.isError],
    ['notifications/tasks', taskId, undefined],
  );
  assert.equal(end.result.resultType, 'complete');
});
