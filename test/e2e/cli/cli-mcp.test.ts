import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { CommandLine } from '../../support/command-line.ts';
import { untilStarted } from '../../support/ready.ts';

test('mcp serves the tools on stdin and stdout; its tasks go on when the client leaves', async () => {
  await using cli = new CommandLine();
  const env = Object.fromEntries(
    Object.entries(cli.environment()).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const [command = '', ...args] = cli.program;
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({ command, args: [...args, 'mcp', '-s', 'chat'], env, cwd: cli.base }),
  );
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), [
    'kill',
    'output',
    'run',
    'screen',
    'send',
    'tasks',
    'wait',
    'watch',
  ]);
  await client.callTool({ name: 'run', arguments: { command: 'sleep 1000', name: 'dev', wait_ms: 50 } });
  await client.close();
  await untilStarted(cli, ...cli.taskIds());
  const { stdout } = await cli.run('ps', '-s', 'chat');
  assert.match(stdout, /^bgb-[0-9a-f]{12}\tdev\trunning\t.*\tsleep 1000\n$/);
});

test('mcp --http serves only clients with the token, until it is interrupted', async () => {
  await using cli = new CommandLine();
  const token = 'a-token-of-this-test';
  const file = `${cli.base}/token`;
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  const server = cli.start(['mcp', '--http', '-s', 'chat', '--token-file', file]);
  await server.says(/serves MCP at http:\S+\n/);
  const url = /http:\S+/.exec(server.stderr)?.[0] ?? '';
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  const ask = async (headers: Record<string, string>): Promise<Response> =>
    await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'test', version: '1' },
        },
      }),
    });
  assert.equal((await ask({})).status, 401);
  const answer = await ask({ authorization: `Bearer ${token}` });
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /"serverInfo":\{"name":"outlive"/);
  const second = await cli.run('mcp', '--http', '--port', new URL(url).port, '--token-file', file);
  assert.equal(second.status, 125);
  assert.match(second.stderr, /EADDRINUSE/);
  assert.equal((await server.interrupted()).status, 0);
});
