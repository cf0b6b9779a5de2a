import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, type Running } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { waitFor } from '../../support/world.ts';

const unix = notOnWindows('the program that waits for the reader is that of the shim, which is not there');

/** Runs a pipeline of a shell to its end. */
async function piped(cli: CommandLine, pipeline: string): Promise<string> {
  const running = shell(cli, pipeline);
  await waitFor(() => running.child.exitCode !== null, `the end of: ${pipeline}`);
  return (await running.answer).stdout;
}

function shell(cli: CommandLine, pipeline: string): Running {
  return cli.start([pipeline], { program: ['bash', '-c'] });
}

test('a verb that follows ends when its reader leaves, even if nothing more is printed', unix, async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo one; echo ready; exec sleep 1000', '-n', 'dev');
  const followed: [string, string][] = [
    [`logs -f ${taskId} | grep -m1 ready`, 'ready\n141\n'],
    [`logs --all -f | head -1`, 'dev | one\n141\n'],
    [`logs -f ${taskId} --grep one --json | head -c 1`, '{141\n'],
    [`run --follow 'echo two; exec sleep 1000' | head -1`, 'two\n141\n'],
  ];
  for (const [pipeline, printed] of followed)
    assert.equal(await piped(cli, `set -o pipefail; ${cli.inShell} ${pipeline}; echo $?`), printed, pipeline);
  const { stdout } = await cli.run('ps', '-q');
  assert.equal(stdout.trim().split('\n').length, 2);
});

test('a reader that stays gets everything, and sees the end of the output', unix, async () => {
  await using cli = new CommandLine();
  const all = await piped(cli, `${cli.inShell} run --follow 'echo one; sleep 0.3; echo two; exit 3' | cat`);
  assert.equal(all, 'one\ntwo\n');
  const taskId = await cli.spawn('echo one; exec sleep 1000');
  // Nothing else holds the pipe when a verb is killed.
  const follow = `sh -c 'echo $$ >pid; exec ${cli.inShell} logs -f ${taskId}'`;
  const running = shell(cli, `${follow} | (head -1; echo read >&2; cat; echo end)`);
  await waitFor(() => running.stderr.includes('read'), 'the first line');
  process.kill(Number(readFileSync(`${cli.base}/pid`, 'utf8')), 'SIGKILL');
  await waitFor(() => running.child.exitCode !== null, 'the end of the pipe');
  assert.equal((await running.answer).stdout, 'one\nend\n');
});
