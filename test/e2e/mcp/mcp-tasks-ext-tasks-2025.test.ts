import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createTaskSessionFromClient, toolDeclaration } from '@modelcontextprotocol/ext-tasks/client';
import { serverCommand } from '../../support/mcp-clients.ts';
import { World } from '../../support/world.ts';

test('over 2025-11-25 a task of ext-tasks runs a command to its end, and another one is cancelled', async () => {
  await using world = new World();
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(new StdioClientTransport(serverCommand(world, 's')));
  const tasks = createTaskSessionFromClient(client, { endpointId: 'outlive' });
  const { tools } = await client.listTools();
  const run = tools.find(({ name }) => name === 'run');
  assert.ok(run?.execution?.taskSupport === 'optional');
  const declaration = toolDeclaration({
    name: 'run',
    inputSchema: { type: 'object' },
    taskSupport: 'optional',
  });
  const options = { declaration, task: { preference: 'require' } } as const;
  const made = await tasks.callTool('run', { command: 'sleep 0.2; echo made' }, options);
  assert.equal(made.kind, 'task');
  assert.match(JSON.stringify((await made.settle()).outcome), /made/);
  const failed = await tasks.callTool('run', { command: 'exit 3' }, options);
  assert.match(
    JSON.stringify((await failed.settle()).lastTask),
    /"status":"completed","statusMessage":"failed \(exit code 3\)/,
  );
  const endless = await tasks.callTool('run', { command: 'sleep 1000' }, options);
  await endless.cancel();
  assert.equal((await endless.settle()).outcome.status, 'cancelled');
  await tasks.close();
  await client.close();
});
