import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, objects, oneObject, type Snapshot } from '../../support/command-line.ts';
import { seemsElsewhere } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { isLive } from '../../support/world.ts';

/** What leaves the group; Git for Windows has it not, nor groups that matter. */
const away = onWindows ? '' : 'setsid ';

const isRunning = ({ status }: Snapshot): boolean => status === 'running';

test('kill stops the whole tree, also what has left its group, and reports the end', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn(
    `${away}sleep 1000 & (${away}sh -c "sleep 1001 & sleep 1002" &) & sleep 1003`,
    '-n',
    'tree',
  );
  const sleeps = /^\S*sleep(?:\.exe)? 100[0-3]$/;
  await cli.until(
    taskId,
    ({ processes }) => processes.filter(({ command }: Snapshot) => sleeps.test(command)).length === 4,
  );
  const { status, stdout, stderr } = await cli.run('kill', '--grace', '1s', 'tree');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    new RegExp(
      `^${taskId} killed, exit ${onWindows ? '1' : '143, SIGTERM'} after [^\n]*: tree: ${away}[^\n]*\n$`,
    ),
  );
  assert.deepEqual(cli.commandPids(), []);
});

test(
  '--signal is the first signal, by name or number; after --grace comes SIGKILL',
  notOnWindows('there are no signals'),
  async () => {
    await using cli = new CommandLine();
    const traps = ['TERM', 'INT', 'USR1'].map((name) => `trap "echo ${name}; exit 5" ${name}`).join('; ');
    const session = await cli.session('default');
    const spawned = ['default', 'TERM', 'int', 'SIGUSR1', '9'].map(
      async (name) => await session.spawn(`${traps}; echo ready; while :; do sleep 0.05; done`, { name }),
    );
    const tasks = await Promise.all(spawned);
    const short = await session.spawn(`${traps}; echo ready; while :; do sleep 0.05; done`);
    await short.waitFor({ pattern: 'ready' });
    assert.equal(oneObject((await cli.run('kill', '-INT', short.id, '--json')).stdout).exitCode, 5);
    const stubborn = await session.spawn('trap "" TERM; echo ready; while :; do sleep 0.05; done');
    for (const task of [...tasks, stubborn]) await task.waitFor({ pattern: 'ready' });
    const kills = tasks.map(async ({ id }, index) => {
      const [signal = ''] = [[], ['TERM'], ['int'], ['SIGUSR1'], ['9']][index] ?? [];
      const words = signal === '' ? [] : ['--signal', signal];
      const { stdout } = await cli.run('kill', '--json', '--grace', '20s', ...words, id);
      const { status, exitCode } = oneObject(stdout);
      // The shell may tell of its own child's end, too.
      return [status, exitCode, (await session.task(id).tail()).text.split('\n').at(-2)];
    });
    const hard = cli.run('kill', '--json', '--grace', '100ms', stubborn.id);
    assert.deepEqual(await Promise.all(kills), [
      ['killed', 5, 'TERM'],
      ['killed', 5, 'TERM'],
      ['killed', 5, 'INT'],
      ['killed', 5, 'USR1'],
      ['killed', 137, 'ready'],
    ]);
    assert.equal(oneObject((await hard).stdout).status, 'killed');
    assert.ok(!isLive(stubborn.snapshot().pid ?? 0));
  },
);

test('--all stops everything that runs in the session, and nothing in another one', async () => {
  await using cli = new CommandLine();
  const [one, two, other] = await Promise.all([
    cli.spawn('sleep 1000', '-s', 'mine'),
    cli.spawn('sleep 1000', '-s', 'mine'),
    cli.spawn('sleep 1000', '-s', 'other'),
  ]);
  const { status, stdout } = await cli.run('kill', '--all', '-s', 'mine', '--json');
  assert.equal(status, 0);
  assert.deepEqual(
    objects(stdout)
      .map(({ taskId, status }) => [taskId, status])
      .toSorted(),
    [
      [one, 'killed'],
      [two, 'killed'],
    ].toSorted(),
  );
  assert.ok(isRunning(await cli.snapshot(other)));
  assert.deepEqual(await cli.run('kill', '--all', '-s', 'mine'), { status: 0, stdout: '', stderr: '' });
});

test('for an ended task, kill stops its leftovers and does not change its end', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended(`${away}sleep 1000 & exit 3`);
  assert.ok(cli.pids().length > 0);
  const { status, stdout } = await cli.run('kill', taskId);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^bgb-\w+ had already ended: failed, exit 3 after [^\n]*\n {2}stopped what it had left: \d+ \S*sleep(?:\.exe)? 1000\n$/,
  );
  assert.deepEqual(cli.commandPids(), []);
  // Long ago, and stopped by a kill: this one has not done it.
  const killed = await cli.spawn('sleep 1000');
  await cli.run('kill', killed);
  const again = await cli.run('kill', killed);
  assert.deepEqual([again.status, again.stderr], [0, '']);
  assert.match(again.stdout, /^bgb-\w+ had already ended: killed, /);
});

test('if one of several tasks does not exist, nothing is stopped; without it the others are stopped, each once', async () => {
  await using cli = new CommandLine();
  const ids = await Promise.all([1, 2].map(async () => await cli.spawn('sleep 1000')));
  const refused = await cli.run('kill', ...ids, 'bgb-000000000000');
  assert.deepEqual([refused.status, refused.stdout], [120, '']);
  assert.deepEqual((await Promise.all(ids.map((id) => cli.snapshot(id)))).map(isRunning), [true, true]);
  const { status, stdout } = await cli.run('kill', ...ids, ids[0]?.slice(0, 11) ?? '');
  assert.deepEqual([status, stdout.match(/^bgb-\w+ killed/gm)?.length], [0, 2]);
});

test('125: a task on another machine cannot be stopped here, but the others are; --json says so in an object', async () => {
  await using cli = new CommandLine();
  const [away, here] = await Promise.all([cli.spawn('sleep 1000'), cli.spawn('sleep 1000')]);
  seemsElsewhere(cli.logOf(away));
  const { status, stdout, stderr } = await cli.run('kill', '--json', away, here);
  assert.equal(status, 125);
  assert.deepEqual([oneObject(stdout).taskId, oneObject(stderr).error.code], [here, 'TASK_ELSEWHERE']);
});
