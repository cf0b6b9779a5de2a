import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { CommandLine } from '../support/command-line.ts';
import { windowsTest } from '../support/windows-test.ts';

windowsTest('the program runs a command, waits for it, shows its output, and says what is owed', async () => {
  await using cli = new CommandLine();
  const ran = await cli.run('run', '--shell', 'cmd', '--', 'echo hello& exit 3');
  assert.equal(ran.status, 0, ran.stderr);
  const taskId = ran.stdout.trim();
  await cli.until(taskId, ({ endedAt }) => endedAt !== null);
  assert.match((await cli.run('completions')).stdout, new RegExp(`${taskId} failed, exit 3`));
  assert.equal((await cli.run('wait', taskId)).status, 3);
  assert.equal((await cli.run('logs', taskId)).stdout.trim(), 'hello');
  assert.equal((await cli.run('completions')).stdout, '', 'who has waited was told');
});

windowsTest('the program stops a task; a client of the MCP server runs one', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('ping -n 300 127.0.0.1', '--shell', 'cmd');
  assert.equal((await cli.run('kill', taskId)).status, 0);
  assert.deepEqual(cli.pidsOf(taskId), []);
  const [command = '', ...args] = cli.program;
  const env = Object.fromEntries(
    Object.entries(cli.environment()).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({ command, args: [...args, 'mcp', '-s', 'chat'], env, cwd: cli.base }),
  );
  const answer = await client.callTool({
    name: 'run',
    arguments: { command: 'echo from mcp', wait_ms: 20_000 },
  });
  assert.match(JSON.stringify(answer.content), /from mcp/);
  await client.close();
});
