import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

const shells = notOnWindows('the shell of Unix joins the streams');
const long = 'seq 1 20000';
const whole = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('');

/** Runs a line of shell in which `outlive` is the program. */
function shell(cli: CommandLine, line: string, env: NodeJS.ProcessEnv = {}): string {
  const script = `outlive() { ${cli.inShell} "$@"; }\n${line}`;
  const { stdout } = spawnSync('sh', ['-c', script], {
    env: cli.environment(env),
    cwd: cli.base,
    encoding: 'utf8',
  });
  return stdout;
}

/** The beginning and the end at lines, and between them how to get the rest. */
const bounded =
  /^1\n2\n(?:\d+\n)+outlive: \[\d+(?:\.\d+)?KB are left out here\. All of it: outlive logs bgb-\w{12}, or: outlive run --follow\]\n(?:\d+\n)+20000\n$/;

test(
  'the output of run --wait is bounded for an agent: if stdout and stderr are one pipe or file',
  shells,
  async () => {
    await using cli = new CommandLine();
    const text = shell(cli, `outlive run --wait '${long}' 2>&1`);
    assert.match(text, bounded);
    assert.ok(text.length < 34 * 1024, String(text.length));
    shell(cli, `outlive run --wait '${long}' >file 2>&1`);
    assert.match(readFileSync(`${cli.base}/file`, 'utf8'), bounded);
  },
);

test(
  'the output is bounded in the shell of an agent, too, and --follow prints all of it',
  shells,
  async () => {
    await using cli = new CommandLine();
    const agent = { CODEX_THREAD_ID: 'thread' };
    const some = shell(cli, `outlive run --wait '${long}' 2>file`, agent);
    assert.ok(some.length < 34 * 1024 && some.startsWith('1\n') && some.endsWith('\n20000\n'));
    assert.match(readFileSync(`${cli.base}/file`, 'utf8'), /are left out here/);
    assert.equal(shell(cli, `outlive run --follow '${long}' 2>&1`, agent), whole);
    // Little is not cut, and neither is what goes into a file.
    assert.equal(shell(cli, `outlive run --wait 'seq 1 20' 2>&1`).split('\n').length, 21);
    shell(cli, `outlive run --wait '${long}' >all`, agent);
    assert.equal(readFileSync(`${cli.base}/all`, 'utf8'), whole);
  },
);

test('output into another program, or into a file of a script, is whole', shells, async () => {
  await using cli = new CommandLine();
  assert.equal(shell(cli, `outlive run --wait '${long}' | tail -n 1`), '20000\n');
  assert.equal(shell(cli, `outlive run --wait '${long}' | wc -c`).trim(), String(whole.length));
});

test('each stream is bounded on its own', shells, async () => {
  await using cli = new CommandLine();
  const text = shell(cli, `outlive run --wait --separate '${long}; ${long} >&2' 2>&1`);
  assert.match(text, /outlive logs bgb-\w{12}, or/);
  assert.match(text, /outlive logs bgb-\w{12} --stderr, or/);
});
