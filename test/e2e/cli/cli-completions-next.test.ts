import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { ofAnotherAgent } from '../../support/mcp-told.ts';

const nothing = { status: 0, stdout: '', stderr: '' };

test('completions --next prints each end once, and the next call acknowledges it', async () => {
  await using cli = new CommandLine();
  const first = await cli.ended('echo one; exit 3');
  assert.match((await cli.run('completions', '--next')).stdout, new RegExp(`^${first} failed, exit 3`));
  assert.equal((await cli.snapshot(first)).delivered, false);
  const second = await cli.ended('exit 4');
  const { stdout } = await cli.run('completions', '--next', '--json');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ taskId, again }) => [taskId, again]),
    [[second, false]],
  );
  assert.equal((await cli.snapshot(first)).delivered, true);
  assert.deepEqual(await cli.run('completions', '--next'), nothing);
  assert.deepEqual(await cli.run('completions', '--next'), nothing);
  assert.equal((await cli.snapshot(second)).delivered, true);
});

test('a conversation does not acknowledge what another one was shown', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 3');
  const next = async (id: string) =>
    await cli.call(['completions', '--next', '-s', 'default'], { env: { CLAUDE_CODE_SESSION_ID: id } });
  assert.match((await next('one')).stdout, new RegExp(taskId));
  assert.deepEqual(await next('two'), nothing);
  assert.equal((await cli.snapshot(taskId)).delivered, false);
  assert.deepEqual(await next('one'), nothing);
  assert.equal((await cli.snapshot(taskId)).delivered, true);
});

test('--next goes with neither --ack nor --follow', async () => {
  await using cli = new CommandLine();
  for (const word of ['--ack', '--follow']) {
    const { status, stdout, stderr } = await cli.run('completions', '--next', word);
    assert.deepEqual([status, stdout], [64, '']);
    assert.match(stderr, /expected --next alone/);
  }
});

test('the shell acknowledges nothing for a live agent that is told itself', async () => {
  await using cli = new CommandLine();
  await using agent = await McpProcess.start(cli, { ...ofAnotherAgent, session: 's' });
  const taskId = (await agent.call('run', { command: 'sleep 0.2; exit 3', wait_ms: 0 })).structuredContent
    .task.taskId;
  assert.equal((await cli.run('wait', taskId, '-s', 's')).status, 3);
  assert.deepEqual(await cli.run('completions', '--next', '-s', 's'), nothing);
  assert.equal((await cli.run('kill', taskId, '-s', 's')).status, 0);
  assert.equal((await cli.snapshot(taskId)).delivered, false);
  await agent.crash();
  assert.equal((await cli.run('wait', taskId, '-s', 's')).status, 3);
  assert.equal((await cli.snapshot(taskId)).delivered, true);
});
