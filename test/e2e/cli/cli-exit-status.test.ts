import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { onWindows } from '../../support/processes.ts';
import { waitFor } from '../../support/world.ts';

test('64: wrong usage, reported in one line before anything is started', async () => {
  await using cli = new CommandLine();
  const calls = [
    ['frobnicate'],
    ['run'],
    ['run', '--frobnicate', 'true'],
    ['run', '-t', '10', 'true'],
    ['run', '-t', 'soon', 'true'],
    ['run', '--max-output', '12 parsecs', 'true'],
    ['run', '-e', 'SECRETVALUE', 'true'],
    ['run', '--leftovers', 'eat', 'true'],
    ['run', '--wait=', '-C', '/nowhere', 'true'],
    ['run', ''],
    ['ps', 'extra'],
    ['ps', '--watch'],
    ['logs', 'x', '-n', '3', '--offset', '0'],
    ['wait'],
    ['wait', 'x', '--for', 'rain'],
    ['kill'],
    ['kill', 'x', '--all'],
    ['kill', 'x', '--signal', 'SIGNONSENSE'],
    ['completion', 'csh'],
  ];
  await Promise.all(
    calls.map(async (words) => {
      const { status, stdout, stderr } = await cli.run(...words);
      assert.deepEqual([status, stdout], [64, ''], words.join(' '));
      assert.match(stderr, /^outlive: [^\n]{10,}\n$/, words.join(' '));
    }),
  );
  assert.deepEqual(cli.taskIds(), []);
});

test('64: no verb at all prints help, on stderr', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.run();
  assert.deepEqual([status, stdout], [64, '']);
  assert.match(stderr, /^Usage: outlive /);
});

test('120: no such task', async () => {
  await using cli = new CommandLine();
  for (const verb of ['show', 'logs', 'wait', 'kill']) {
    const { status, stdout, stderr } = await cli.run(verb, 'bgb-000000000000');
    assert.deepEqual([status, stdout], [120, '']);
    assert.match(stderr, /^outlive: expected the id of a task[^\n]*; found "bgb-000000000000"\. [^\n]*\n$/);
  }
});

test('121: lost, when the shim is gone and nobody knows how the command ended', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000');
  const { shimPid } = await cli.until(taskId, (task) => task.status === 'running');
  for (const one of onWindows ? cli.pidsOf(taskId) : [shimPid]) process.kill(one, 'SIGKILL');
  const { status, stdout } = await cli.run('wait', taskId);
  assert.equal(status, 121);
  assert.match(stdout, /^bgb-[0-9a-f]{12} lost, no_exit_marker/);
});

test('122: the task still runs, and the time of the wait is up', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000');
  const { status, stdout, stderr } = await cli.run('wait', '--timeout', '50ms', taskId);
  assert.deepEqual([status, stdout], [122, '']);
  assert.equal(stderr, `outlive: still running: ${taskId}. Wait again with: outlive wait ${taskId}\n`);
});

test('123: stopped by outlive, on request or by the output limit', async () => {
  await using cli = new CommandLine();
  const waiting = cli.start(['run', '--wait', '--', 'echo begun; sleep 1000']);
  await waitFor(() => cli.taskIds().length === 1, 'the task');
  const [taskId = ''] = cli.taskIds();
  await cli.until(taskId, (task) => task.output.bytes > 0);
  assert.equal((await cli.run('kill', taskId)).status, 0);
  assert.deepEqual(await waiting.answer, {
    status: 123,
    stdout: 'begun\n',
    stderr: `outlive: ${taskId} ended as killed\n`,
  });
  const flood = await cli.run('run', '--wait', '--max-output', '100k', 'yes | head -c 50M; sleep 1000');
  assert.equal(flood.status, 123);
  // Whoever shows it may be slower than the flood: then what was cut meanwhile is told in front of it.
  const told =
    /^(?:outlive: \d+ bytes .* were removed after .*\n)?outlive: bgb-[0-9a-f]{12} ended as killed \(output_limit\)\n$/;
  assert.match(flood.stderr, told);
});

test('124: timed out', async () => {
  await using cli = new CommandLine();
  const { status, stderr } = await cli.run('run', '--wait', '-t', '100ms', 'sleep 1000');
  assert.equal(status, 124);
  assert.match(stderr, /^outlive: bgb-[0-9a-f]{12} ended as timed_out\n$/);
});

test('125: outlive itself failed; with --json the error is an object on stderr', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.run(
    'run',
    '--json',
    '--store',
    onWindows ? 'Q:\\nowhere' : '/proc/nowhere',
    'true',
  );
  assert.deepEqual([status, stdout], [125, '']);
  const { error, ...rest } = JSON.parse(stderr);
  assert.deepEqual([Object.keys(error), error.code, rest], [['code', 'message'], 'STORE_UNWRITABLE', {}]);
});

test('with --json wrong usage and a missing task are objects on stderr, too', async () => {
  await using cli = new CommandLine();
  const usage = await cli.run('ps', '--json', '--frobnicate');
  assert.deepEqual([usage.status, JSON.parse(usage.stderr).error.code], [64, 'USAGE']);
  const missing = await cli.run('show', '--json', 'bgb-000000000000');
  assert.deepEqual([missing.status, JSON.parse(missing.stderr).error.code], [120, 'TASK_NOT_FOUND']);
});

test('the command’s own status is passed on unchanged, also when a signal ended it', async () => {
  await using cli = new CommandLine();
  assert.equal((await cli.run('run', '--wait', 'exit 42')).status, 42);
  // A shell of MSYS makes another number of it.
  if (!onWindows) assert.equal((await cli.run('run', '--wait', 'kill -SEGV $$')).status, 139);
  assert.equal((await cli.run('run', '--wait', 'no-such-program')).status, 127);
});

test('--version prints the version of the package', async () => {
  await using cli = new CommandLine();
  const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8'));
  assert.deepEqual(await cli.run('--version'), { status: 0, stdout: `${version}\n`, stderr: '' });
});
