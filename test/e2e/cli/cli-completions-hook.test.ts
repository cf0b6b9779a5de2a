import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, CommandLine } from '../../support/command-line.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { waitFor } from '../../support/world.ts';

/** Runs the hook of a conversation with an event on stdin. */
async function hook(cli: CommandLine, event: unknown, ...words: string[]): Promise<Answer> {
  const [program = '', ...args] = [...cli.program, 'completions', '--hook', ...words];
  const child = spawn(program, args, { env: cli.environment(), cwd: cli.base, stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(typeof event === 'string' ? event : JSON.stringify(event));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

const event = { hook_event_name: 'PostToolUse', session_id: 'c' };
const nothing = { status: 0, stdout: '', stderr: '' };

test('a hook tells the conversation of each end once, in JSON, and the next one acknowledges it', async () => {
  await using cli = new CommandLine();
  assert.deepEqual(await hook(cli, event), nothing);
  const [one, two] = [await cli.ended('echo one; exit 3', '-s', 'c'), await cli.ended('exit 4', '-s', 'c')];
  await cli.ended('exit 5', '-s', 'another');
  assert.deepEqual(await hook(cli, { ...event, agent_id: 'sub' }), nothing);
  const { stdout, stderr } = await hook(cli, event);
  assert.equal(stderr, '');
  const { hookSpecificOutput } = JSON.parse(stdout);
  assert.equal(hookSpecificOutput.hookEventName, 'PostToolUse');
  const told = hookSpecificOutput.additionalContext;
  assert.match(told, new RegExp(`${one} failed, exit 3[^\\n]*\\n {2}\\| one\\n`));
  assert.match(told, new RegExp(`${two} failed, exit 4`));
  assert.doesNotMatch(told, /exit 5/);
  assert.equal((await cli.snapshot(one)).delivered, false);
  assert.deepEqual(await hook(cli, event), nothing);
  assert.equal((await cli.snapshot(one)).delivered, true);
  assert.deepEqual(await hook(cli, { ...event, session_id: 'none' }, '-s', 'c'), nothing);
});

test('a hook tells each watched line once, and the next one acknowledges it', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn(
    'echo error one; echo fine; echo error two; sleep 600',
    '-s',
    'c',
    '-n',
    'dev',
  );
  await cli.until(taskId, ({ output }) => output.bytes === 25);
  assert.equal((await cli.run('watch', 'dev', 'error', '-s', 'c')).status, 0);
  const { stdout } = await hook(cli, event);
  const told = JSON.parse(stdout).hookSpecificOutput.additionalContext;
  assert.match(told, /^outlive: lines that you watch for:\n/);
  assert.match(told, /\(dev\) wrote at byte 0: error one\n.*\(dev\) wrote at byte 15: error two\n$/);
  assert.deepEqual(await hook(cli, { ...event, session_id: 'other' }, '-s', 'none'), nothing);
  assert.equal(hasFact(cli.logOf(taskId), 'seen'), false);
  assert.deepEqual(await hook(cli, event), nothing);
  assert.equal(factOf(cli.logOf(taskId), 'seen').offset, 19);
  assert.deepEqual(await hook(cli, event), nothing);
});

test('when a hook is killed before it ends, what it printed is told again, marked as told again', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo error one; sleep 600', '-s', 'c', '-n', 'dev');
  await cli.until(taskId, ({ output }) => output.bytes === 10);
  await cli.run('watch', 'dev', 'error', '-s', 'c');
  await hook(cli, event);
  // As the log is when it dies after it has claimed the line.
  const log = cli.logOf(taskId);
  const [claim = ''] = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"telling"'));
  const others = readFileSync(log, 'utf8').replaceAll(/\n.*"telling".*\n/g, '\n');
  writeFileSync(log, `${others}\n${claim}\n`);
  assert.match((await hook(cli, event)).stdout, /Told before, and perhaps not read:\\n.* error one/);
  assert.deepEqual(await hook(cli, event), nothing);
  assert.equal(hasFact(log, 'seen'), true);
});

test('either the MCP server or the hook of a conversation tells a line, not both', async () => {
  await using cli = new CommandLine();
  const env = { CLAUDE_CODE_SESSION_ID: 'c' };
  await using server = await McpProcess.start(cli, { env });
  const command = 'echo error one; sleep 600';
  const { taskId } = (await server.call('run', { command, name: 'dev', wait_ms: 0 })).structuredContent.task;
  await cli.until(taskId, ({ output }) => output.bytes === 10);
  await server.call('watch', { task: taskId, pattern: 'error' });
  const told = async () => (await server.call('tasks', {})).content[0]?.text ?? '';
  await waitFor(async () => /error one/.test(await told()), 'the server to tell the line');
  // Nothing shows yet that it was read, and the hook after that call leaves it alone.
  assert.deepEqual(await hook(cli, event), nothing);
  await server.crash();
  assert.match((await hook(cli, event)).stdout, /Told before, and perhaps not read:\\n.* error one/);
});

test('without an event, or with another way to take ends, the hook is refused', async () => {
  await using cli = new CommandLine();
  assert.equal((await hook(cli, 'no JSON')).status, 64);
  for (const word of ['--ack', '--follow', '--next']) {
    const { status, stderr } = await hook(cli, event, word);
    assert.equal(status, 64);
    assert.match(stderr, new RegExp(`expected --hook alone, .* found ${word}`));
  }
});
