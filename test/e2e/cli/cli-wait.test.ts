import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects, oneObject } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { fixture } from '../../support/world.ts';

test('wait for several tasks ends when all have ended, with the status of the first that failed', async () => {
  await using cli = new CommandLine();
  const release = `${cli.base}/go`;
  const slow = await cli.spawn(
    `until [ -e ${release} ]; do sleep 0.05; done; echo done; exit 3`,
    '-n',
    'slow',
  );
  const other = await cli.spawn('exit 0', '-s', 'other');
  const waiting = cli.start(['wait', other, 'slow', slow]);
  const late = await cli.run('wait', '--timeout', '50ms', slow, other);
  assert.equal(late.status, 122);
  assert.match(late.stdout, new RegExp(`^${other} completed, exit 0 after [^\n]*: exit 0\n$`));
  assert.equal(late.stderr, `outlive: still running: ${slow}. Wait again with: outlive wait ${slow}\n`);
  writeFileSync(release, '');
  const { status, stdout, stderr } = await waiting.answer;
  assert.deepEqual([status, stderr], [3, '']);
  assert.match(
    stdout,
    new RegExp(`^${other} completed, [^\n]*\n${slow} failed, exit 3 after .*: slow: .*\n  \\| done\n$`),
  );
  // What was printed of the own session is acknowledged; a task of another one was looked at.
  const pending = await Promise.all([cli.run('completions'), cli.run('completions', '-s', 'other')]);
  assert.deepEqual(
    pending.map(({ stdout }) => stdout.split(' ')[0]),
    ['', other],
  );
});

test('--any is enough when one has ended; --json prints its snapshot', async () => {
  await using cli = new CommandLine();
  const [long, short] = await Promise.all([cli.spawn('sleep 1000'), cli.spawn('sleep 0.3; exit 5')]);
  const { status, stdout, stderr } = await cli.run('wait', '--any', '--json', long, short);
  assert.deepEqual([status, stderr], [5, '']);
  const { taskId, status: fate, exitCode, pid } = oneObject(stdout);
  assert.deepEqual([taskId, fate, exitCode, typeof pid], [short, 'failed', 5, 'number']);
  const both = await cli.run('wait', '--any', '--timeout', '50ms', long);
  assert.deepEqual([both.status, both.stdout], [122, '']);
});

test('--for waits for a pattern, a port, or silence; then the task goes on, and the status is 0', async () => {
  await using cli = new CommandLine();
  const command = `echo begun; ${fixture('listens.mjs')} & sleep 0.2; echo 'listening  at last'; wait`;
  const taskId = await cli.spawn(command, '-n', 'dev');
  const [pattern, port, idle, json, exit] = await Promise.all([
    cli.run('wait', 'dev', '--for', 'pattern=listen\\w+ +at'),
    cli.run('wait', 'dev', '--for', 'port=any', '--for', 'pattern=never'),
    cli.run('wait', 'dev', '--for', 'idle=300ms'),
    cli.run('wait', 'dev', '--for', 'pattern=^begun$', '--json'),
    cli.run('wait', 'dev', '--for', 'exit', '--timeout', '50ms'),
  ]);
  assert.deepEqual(pattern, {
    status: 0,
    stdout: `${taskId} wrote at byte 6: listening  at last\n`,
    stderr: '',
  });
  assert.equal(port.status, 0);
  assert.match(port.stdout, new RegExp(`^${taskId} listens at port \\d+, by process \\d+\n$`));
  assert.deepEqual([idle.status, exit.status], [0, 122]);
  assert.match(idle.stdout, new RegExp(`^${taskId} has written nothing for [\\d.]+m?s\n$`));
  const { cause, match, port: none, idleMs, screen, input, snapshot, ...rest } = oneObject(json.stdout);
  assert.deepEqual([cause, match.offset, match.line], ['pattern', 0, 'begun']);
  assert.deepEqual([none, idleMs, screen, input], [null, null, null, null]);
  assert.deepEqual([rest, snapshot.status], [{ taskId, beginsAt: 0 }, 'running']);
  const number = /port (\d+)/.exec(port.stdout)?.[1] ?? '';
  assert.equal((await cli.run('wait', 'dev', '--for', `port=${number}`)).status, 0);
});

test('if a task ends before the pattern, the status is its own or 1; with --for exit that is no failure', async () => {
  await using cli = new CommandLine();
  const [good, bad, asked] = await Promise.all([
    cli.ended('echo no'),
    cli.ended('echo no; exit 4'),
    cli.ended('echo no'),
  ]);
  const [one, own, either] = await Promise.all([
    cli.run('wait', good, '--for', 'pattern=yes'),
    cli.run('wait', bad, '--for', 'pattern=yes', '--for', 'port=1'),
    cli.run('wait', asked, '--for', 'pattern=yes', '--for', 'exit'),
  ]);
  assert.deepEqual([one.status, own.status, either.status], [1, 4, 0]);
  assert.match(one.stdout, /^bgb-\w+ completed, exit 0 after .*: echo no\n {2}\| no\n$/);
  assert.equal(one.stderr, `outlive: ${good} ended before the condition was true\n`);
  assert.equal(either.stderr, '');
});

test(
  'an interrupted wait leaves the tasks running, and says so and how to wait again',
  notOnWindows('a process cannot be interrupted by another there'),
  async () => {
    await using cli = new CommandLine();
    const ids = await Promise.all([cli.spawn('sleep 1000'), cli.spawn('sleep 1000', '-s', 'a b')]);
    const waiting = cli.start(['wait', '--store', cli.dir, '--json', ...ids]);
    await waiting.waits();
    waiting.child.kill('SIGINT');
    const { status, stdout, stderr } = await waiting.answer;
    assert.equal(status, 122);
    assert.deepEqual(
      objects(stdout).map((task) => [task.taskId, task.status]),
      ids.map((id) => [id, 'running']),
    );
    const again = `outlive wait --store ${cli.dir} ${ids.join(' ')}`;
    assert.equal(stderr, `outlive: still running: ${ids.join(' ')}. Wait again with: ${again}\n`);
    const still = await Promise.all(ids.map((id) => cli.snapshot(id)));
    assert.deepEqual(
      still.map((task) => task.status),
      ['running', 'running'],
    );
  },
);
