import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { waitFor } from '../../support/world.ts';

test('run --wait prints the output, ends with the command’s own exit status, and acknowledges the end', async () => {
  await using cli = new CommandLine();
  const answer = await cli.run('run', '--wait=20s', 'echo out; echo err >&2; exit 7');
  assert.deepEqual(answer, { status: 7, stdout: 'out\nerr\n', stderr: '' });
  assert.equal((await cli.run('completions')).stdout, '');
});

test('if the command takes longer, run --wait=D prints its output so far, the id, how to wait, and ends with 122', async () => {
  await using cli = new CommandLine();
  const duration = onWindows ? '10s' : '1s';
  const { status, stdout, stderr } = await cli.run('run', `--wait=${duration}`, 'echo so far; sleep 1000');
  assert.deepEqual([status, stdout], [122, 'so far\n']);
  const said =
    /^outlive: (bgb-[0-9a-f]{12}) is in the background: after 10?s it goes on\. Do not poll; wait for its end with: outlive wait \1\n$/;
  assert.match(stderr, said);
  const taskId = said.exec(stderr)?.[1] ?? '';
  assert.equal((await cli.snapshot(taskId)).status, 'running');
});

test('the wait command that it prints works as it is, also with a named session', async () => {
  await using cli = new CommandLine();
  const release = `${cli.base}/go`;
  const command = `until [ -e ${release} ]; do sleep 0.05; done; exit 4`;
  const { stderr } = await cli.run('run', '-s', 'a b', '--wait=100ms', command);
  const words = stderr.trim().split('with: outlive ')[1] ?? '';
  const waiting = cli.start([
    'run',
    '--wait',
    '-t',
    'none',
    `${cli.inShell} ${words} & touch ${release}; wait $!`,
  ]);
  assert.equal((await waiting.answer).status, 4);
});

test('--follow prints the output as it comes; with --separate stderr goes to stderr', async () => {
  await using cli = new CommandLine();
  const release = `${cli.base}/go`;
  const command = `echo one; echo two >&2; until [ -e ${release} ]; do sleep 0.05; done; echo three; exit 2`;
  const running = cli.start(['run', '--follow', '--separate', '--', command]);
  await waitFor(() => running.stdout === 'one\n' && running.stderr === 'two\n', 'the first lines');
  await cli.run('run', '--wait', `touch ${release}`);
  assert.deepEqual(await running.answer, { status: 2, stdout: 'one\nthree\n', stderr: 'two\n' });
});

test('--follow --wait=D stops following when the time is up', async () => {
  await using cli = new CommandLine();
  const answer = await cli.run('run', '--follow', '--wait=1s', 'echo begun; sleep 1000');
  assert.deepEqual([answer.status, answer.stdout], [122, 'begun\n']);
  assert.match(answer.stderr, /is in the background: after 1s it goes on/);
});

test('a large output arrives whole', async () => {
  await using cli = new CommandLine();
  const { stdout } = await cli.run('run', '--wait', 'seq 300000');
  assert.equal(stdout.length, 1_988_895);
  assert.ok(stdout.endsWith('299999\n300000\n'));
});

test(
  'an interrupted wait leaves the task running and says so',
  notOnWindows('a process cannot be interrupted by another there'),
  async () => {
    await using cli = new CommandLine();
    const running = cli.start(['run', '--follow', 'echo begun; sleep 1000']);
    await running.says('begun');
    running.child.kill('SIGINT');
    const { status, stderr } = await running.answer;
    assert.equal(status, 122);
    assert.match(
      stderr,
      /^outlive: bgb-[0-9a-f]{12} is in the background: you interrupted the wait, and it goes on/,
    );
    const taskId = /bgb-[0-9a-f]{12}/.exec(stderr)?.[0] ?? '';
    assert.equal((await cli.snapshot(taskId)).status, 'running');
  },
);

test('stderr tells of a failure behind exit code 0, and of leftovers', async () => {
  await using cli = new CommandLine();
  const hidden = await cli.run('run', '--shell', 'bash', '--wait', 'false | true');
  assert.equal(hidden.status, 0);
  assert.match(
    hidden.stderr,
    /^outlive: bgb-[0-9a-f]{12} ended with 0, but a part of its pipeline failed: 1 0\n$/,
  );
  const left = await cli.run('run', '--wait', 'sleep 1000 & echo started');
  assert.deepEqual([left.status, left.stdout], [0, 'started\n']);
  // A child of git-bash is that shell itself until it executes what it is to run, which takes a while under Wine.
  const told = onWindows
    ? /^outlive: (bgb-[0-9a-f]{12}) left processes running: .*\d+ .+\. Stop them with: outlive kill \1\n$/
    : /^outlive: (bgb-[0-9a-f]{12}) left processes running: \d+ sleep 1000\. Stop them with: outlive kill \1\n$/;
  assert.match(left.stderr, told);
});

test('a reader that goes away early is no error, and the task goes on to its end', async () => {
  await using cli = new CommandLine();
  const script = `${cli.inShell} run --wait 'seq 100000; sleep 0.2; touch ${cli.base}/done' | head -n 1`;
  const { status, stdout, stderr } = await cli.run('run', '--wait', '-e', `OUTLIVE_HOME=${cli.dir}`, script);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '1\n', stderr: '' });
});
