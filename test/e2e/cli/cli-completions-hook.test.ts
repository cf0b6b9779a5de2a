import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Answer, CommandLine } from '../../support/command-line.ts';

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

test('without an event, and with another way to take ends, it is refused', async () => {
  await using cli = new CommandLine();
  assert.equal((await hook(cli, 'no JSON')).status, 64);
  for (const word of ['--ack', '--follow', '--next']) {
    const { status, stderr } = await hook(cli, event, word);
    assert.equal(status, 64);
    assert.match(stderr, new RegExp(`expected --hook alone, .* found ${word}`));
  }
});
