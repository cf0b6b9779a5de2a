import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { quote, waitFor } from '../../support/world.ts';

test(
  'with 64 running tasks run is refused with 125; with --queue the task waits for its turn',
  notOnWindows('64 tasks at a time are too much for Wine'),
  async () => {
    await using cli = new CommandLine();
    const session = await cli.session('full');
    const running = await Promise.all(Array.from({ length: 64 }, () => session.spawn('sleep 1000')));
    const refused = await cli.run('run', '-s', 'full', '--json', 'true');
    assert.deepEqual([refused.status, JSON.parse(refused.stderr).error.code], [125, 'TASK_LIMIT']);
    const queued = await cli.spawn('echo my turn', '-s', 'full', '--queue');
    assert.equal((await cli.snapshot(queued)).status, 'queued');
    const waiting = cli.start(['wait', queued]);
    await running[0]?.kill({ graceMs: 0 });
    const { status, stdout } = await waiting.answer;
    assert.equal(status, 0);
    assert.match(stdout, /^bgb-[0-9a-f]{12} completed, exit 0 after .*: echo my turn\n {2}\| my turn\n$/);
    await session.shutdown({ graceMs: 0 });
  },
);

test(
  'resource limits hold, and show says what enforces them',
  notOnWindows('ulimit; on Windows such limits are refused'),
  async () => {
    await using cli = new CommandLine();
    const options = ['--memory', '512m', '--cpu-time', '90s', '--nice', '7', '--unbuffered'];
    const { status, stdout } = await cli.run(
      'run',
      '--wait',
      ...options,
      'nice; echo "$PYTHONUNBUFFERED"; ulimit -t',
    );
    assert.deepEqual([status, stdout], [0, '7\n1\n90\n']);
    const [taskId = ''] = cli.taskIds();
    const { limits } = await cli.snapshot(taskId);
    const shown = limits.map(({ limit, value }: { limit: string; value: number }) => [limit, value]);
    assert.deepEqual(shown, [
      ['memoryBytes', 536_870_912],
      ['cpuSeconds', 90],
      ['niceness', 7],
    ]);
    assert.match((await cli.run('show', taskId)).stdout, /^niceness +7, enforced by nice$/m);
  },
);

test(
  'run --wait and wait say which limit ended a task',
  notOnWindows('ulimit; on Windows such limits are refused'),
  async () => {
    await using cli = new CommandLine();
    const { status, stderr } = await cli.run('run', '--wait', '--cpu-time', '1s', 'while :; do :; done');
    assert.equal(status, 128 + constants.signals.SIGXCPU);
    assert.match(stderr, /^outlive: bgb-\w{12} reached a limit: one of its processes used up --cpu-time$/m);
    const waited = await cli.run('wait', ...cli.taskIds());
    assert.match(waited.stdout, /^bgb-\w{12} failed, cpu_limit, /);
  },
);

test('a task that is bound to a process ends with it; kill --bound ends one that is bound to the session', async () => {
  await using cli = new CommandLine();
  const agent = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const [bound, ofSession, free] = [
    await cli.spawn('sleep 1000', '--bind-to', String(agent.pid)),
    await cli.spawn('sleep 1000', '--bind-to', 'session'),
    await cli.spawn('sleep 1000'),
  ];
  const ended = await cli.run('kill', '--bound', '--grace', '0s');
  assert.match(ended.stdout, new RegExp(`^${ofSession} killed, bound, `));
  agent.kill('SIGKILL');
  // Nobody watches.
  await waitFor(async () => (await cli.snapshot(bound)).status === 'killed', 'the end of the bound task');
  assert.equal((await cli.snapshot(bound)).statusReason, 'bound');
  assert.equal((await cli.snapshot(free)).status, 'running');
});

test('a queued task whose spawner has left gets its turn from the next process that opens the session', async () => {
  await using cli = new CommandLine();
  const store = await cli.store();
  const session = await store.session('small', { maxRunning: 1 });
  await session.spawn(`until [ -e ${quote(`${cli.base}/go`)} ]; do sleep 0.02; done`);
  const second = await session.spawn('echo second', { onLimit: 'queue' });
  await store.close();
  writeFileSync(`${cli.base}/go`, '');
  const { status, stdout } = await cli.run('wait', second.id);
  assert.equal(status, 0);
  assert.match(stdout, /^bgb-[0-9a-f]{12} completed, exit 0 after .*: echo second\n {2}\| second\n$/);
});
