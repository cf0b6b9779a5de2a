import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects, oneObject } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

const onLinux = { skip: process.platform !== 'linux' && 'only Linux shows the variables of a process' };

test(
  'restart stops a task, runs it again with the same options and name, and prints the new id',
  notOnWindows('limits on resources are refused there'),
  async () => {
    await using cli = new CommandLine();
    const options = [
      '-n',
      'dev',
      '-l',
      'k=v',
      '-t',
      '2h',
      '--grace',
      '1s',
      '--separate',
      '--max-output',
      '5m',
      '--nice',
      '5',
    ];
    const old = await cli.spawn(
      'echo "in $PWD"; echo err >&2; exec sleep 1000',
      ...options,
      '-C',
      '/',
      '--leftovers',
      'kill',
    );
    const { status, stdout, stderr } = await cli.run('restart', 'dev');
    assert.deepEqual([status, stderr], [0, '']);
    const taskId = stdout.trim();
    assert.match(stdout, /^bgb-[0-9a-f]{12}\n$/);
    const [before, after] = [await cli.snapshot(old), await cli.snapshot(taskId)];
    assert.deepEqual([before.status, before.statusReason, before.delivered], ['killed', 'replaced', true]);
    assert.equal(after.status, 'running');
    assert.deepEqual([after.replaces, before.replaces], [old, null]);
    for (const key of [
      'name',
      'command',
      'cwd',
      'labels',
      'timeoutMs',
      'limits',
      'bounds',
      'leftoversPolicy',
      'shell',
    ])
      assert.deepEqual(after[key], before[key], key);
    await cli.until(taskId, ({ output }) => output.bytes > 0);
    assert.equal((await cli.run('logs', '--stdout', 'dev')).stdout, 'in /\n');
    // By its alias, and with --json: the snapshot.
    const again = oneObject((await cli.run('rerun', 'dev', '--json')).stdout);
    assert.deepEqual([again.status, again.name], ['running', 'dev']);
  },
);

test('a running task keeps its variables, which are written nowhere; -e changes some', onLinux, async () => {
  await using cli = new CommandLine();
  const command = 'echo "$SECRET-$PLAIN-$OUTLIVE_TASK"; exec sleep 1000';
  const old = await cli.spawn(command, '-n', 'dev', '-e', 'SECRET=hunter2', '-e', 'PLAIN=1');
  await cli.run('restart', 'dev', '-e', 'PLAIN=2');
  const { taskId } = await cli.until('dev', ({ output }) => output.bytes > 0);
  const { stdout } = await cli.run('logs', 'dev');
  assert.match(stdout, new RegExp(`^hunter2-2-${taskId}\\.`), 'its own id, not that of the old one');
  for (const id of [old, taskId]) assert.ok(!readFileSync(cli.logOf(id), 'utf8').includes('hunter2'));
  // The new variable is one of those that it was run with.
  await cli.run('kill', 'dev');
  const { status, stderr } = await cli.run('restart', 'dev');
  assert.equal(status, 64);
  assert.match(
    stderr,
    /found no value of SECRET, PLAIN, .*outlive restart bgb-\w+ -e SECRET=\.\.\. -e PLAIN=\.\.\./,
  );
});

test('an ended task gets the variables of the caller; if one that was given with -e is missing, restart names it', async () => {
  await using cli = new CommandLine();
  await cli.ended('echo "$SECRET-$MINE"', '-n', 'job', '-e', 'SECRET=hunter2');
  const refused = await cli.run('restart', 'job', '--json');
  const [error] = objects(refused.stderr);
  assert.deepEqual([refused.status, error?.error.code, refused.stdout], [64, 'INVALID_ENV', '']);
  assert.equal(cli.taskIds().length, 1);
  const restarted = await cli.call(['restart', 'job', '-e', 'SECRET=given'], { env: { MINE: 'mine' } });
  assert.equal(restarted.status, 0, restarted.stderr);
  await cli.until('job', ({ endedAt }) => endedAt !== null);
  assert.equal((await cli.run('logs', 'job')).stdout, 'given-mine\n');
  // One of the caller's own will do.
  assert.equal((await cli.call(['restart', 'job'], { env: { SECRET: 'own' } })).status, 0);
});

test('the new task does not get the key, and simultaneous restarts of one task leave one task', async () => {
  await using cli = new CommandLine();
  const old = await cli.spawn('sleep 1000', '--key', 'k');
  const answers = await Promise.all([1, 2, 3].map(async () => await cli.run('restart', old)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [0, 0, 0],
    answers.map(({ stderr }) => stderr).join(''),
  );
  const running = objects((await cli.run('ps', '--json')).stdout);
  assert.equal(running.length, 1);
  assert.equal(running[0]?.key, null);
  // The old one still has it.
  assert.equal((await cli.run('run', '--key', 'k', 'true')).stdout.trim(), old);
  // Whoever names the old one means the one that has its place.
  const { stdout, stderr } = await cli.run('restart', old);
  assert.match(
    stderr,
    new RegExp(`another task had already replaced it: outlive restarted ${running[0]?.taskId}`),
  );
  assert.notEqual(stdout.trim(), old);
});

test(
  'a task that cannot be run again is refused, and goes on',
  notOnWindows('`outlive run` does not pass on its stdin there'),
  async () => {
    await using cli = new CommandLine();
    const session = await cli.session('default');
    const task = await session.spawn('cat; sleep 1000', { stdin: { data: 'once' }, name: 'reads' });
    const { status, stderr } = await cli.run('restart', 'reads');
    assert.equal(status, 64);
    assert.match(stderr, /read input from its spawner/);
    assert.equal(task.snapshot().endedAt, null);
    assert.equal((await cli.run('restart', 'nobody')).status, 120);
  },
);
