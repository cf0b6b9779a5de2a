import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, objects, type Snapshot } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { waitFor } from '../../support/world.ts';

const isRunning = ({ status }: Snapshot): boolean => status === 'running';

/** The fields of the lines that `ps` prints without a terminal. */
async function rowsOf(cli: CommandLine, ...words: string[]): Promise<string[][]> {
  const { status, stdout, stderr } = await cli.run('ps', ...words);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]));
}

test('ps lists running tasks, -a also ended ones, --all-sessions those of every session, the oldest first', async () => {
  await using cli = new CommandLine();
  const ended = await cli.ended('exit 3');
  const first = await cli.spawn('sleep 1000', '-n', 'first');
  const second = await cli.spawn('sleep 1001');
  const elsewhere = await cli.spawn('sleep 1002', '-s', 'other');
  const [own, all, everywhere, other] = await Promise.all([
    rowsOf(cli),
    rowsOf(cli, '-a'),
    rowsOf(cli, '--all-sessions'),
    rowsOf(cli, '-a', '-s', 'other'),
  ]);
  const idsOf = (rows: string[][]): string[] => rows.map(([id = '']) => id);
  assert.deepEqual(idsOf(own), [first, second]);
  assert.deepEqual(idsOf(all), [ended, first, second]);
  assert.deepEqual(idsOf(other), [elsewhere]);
  assert.deepEqual(
    everywhere.map(([id, session, name]) => [id, session, name]),
    [
      [first, 'default', 'first'],
      [second, 'default', '-'],
      [elsewhere, 'other', '-'],
    ],
  );
});

test('without a terminal each task is a line of tab-separated fields, without heading and colour', async () => {
  await using cli = new CommandLine();
  await cli.ended('printf 12345; exit 3', '-n', 'five');
  const { stdout } = await cli.call(['ps', '-a'], { env: { FORCE_COLOR: '1', TERM: 'xterm-256color' } });
  const [id = '', name, status, created = '', time = '', ...rest] = stdout.split('\t');
  assert.match(id, /^bgb-[0-9a-f]{12}$/);
  assert.deepEqual([name, status], ['five', 'failed 3']);
  assert.match(created, /^\d{4}-\d\d-\d\d \d\d:\d\d$/);
  assert.match(time, /^[\d.]+(?:ms|s)$/);
  assert.deepEqual(rest, ['-', '-', '5B', '-', cli.base, 'printf 12345; exit 3\n']);
  const running = await cli.spawn('sleep 1000', '-C', '/');
  const [[own = '', , , age = '', ...more] = []] = await rowsOf(cli);
  assert.deepEqual([own, more.at(-2)], [running, '/']);
  assert.match(age, /^[\d.]+(?:ms|s)$/);
});

test('without tasks nothing is printed, and that is no error', async () => {
  await using cli = new CommandLine();
  assert.deepEqual(await cli.run('ps'), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(await cli.run('ps', '-a', '--json'), { status: 0, stdout: '', stderr: '' });
});

test('--json prints the snapshot of each task on a line, as show prints it', async () => {
  await using cli = new CommandLine();
  const [one, two] = [await cli.ended('echo one', '-l', 'a=1'), await cli.ended('exit 2')];
  const [{ stdout }, shown] = await Promise.all([cli.run('ps', '-a', '--json'), cli.snapshot(one)]);
  const listed = objects(stdout);
  assert.deepEqual(
    listed.map(({ taskId, exitCode }) => [taskId, exitCode]),
    [
      [one, 0],
      [two, 2],
    ],
  );
  for (const [field, value] of Object.entries(listed[0] ?? {})) assert.deepEqual(shown[field], value, field);
  assert.deepEqual(Object.keys(listed[0] ?? {}).toSorted(), [
    ...[
      'after',
      'attached',
      'command',
      'containment',
      'cpuMs',
      'createdAt',
      'cwd',
      'damaged',
      'delivered',
      'durationMs',
    ],
    ...['endedAt'],
    ...[
      'exitCode',
      'exitSignal',
      'key',
      'labels',
      'lastSeenAt',
      'leftovers',
      'limits',
      'name',
      'output',
      'peakBytes',
      'pid',
    ],
    ...[
      'pipeStatus',
      'replaces',
      'sessionId',
      'shimPid',
      'spawnError',
      'startedAt',
      'status',
      'statusReason',
      'stdin',
      'taskId',
      'timeoutMs',
      'tty',
    ],
  ]);
});

test('line breaks, escapes and marks of direction in names, commands and sessions are made visible', async () => {
  await using cli = new CommandLine();
  const session = 's\x1b]0;title\x07';
  await cli.spawn('sleep 1000 # \x1b[2J\t\u202efdp\u2066\u009b31m', '-s', session, '-n', 'a\nb\r\u200bc');
  const [ps, show] = await Promise.all([
    cli.run('ps', '--all-sessions'),
    cli.run('show', '-s', session, 'a\nb\r\u200bc'),
  ]);
  const [, sessionId, name, ...rest] = ps.stdout.split('\t');
  assert.deepEqual([sessionId, name], ['s\\e]0;title\\u{7}', 'a\\nb\\r\\u{200b}c']);
  assert.equal(rest.at(-1), 'sleep 1000 # \\e[2J\\t\\u{202e}fdp\\u{2066}\\u{9b}31m\n');
  for (const text of [ps.stdout.replaceAll('\t', ''), show.stdout])
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
});

test(
  'CPU and memory are those of the whole tree; a suspended task says so',
  notOnWindows('a process cannot be suspended by a signal'),
  async () => {
    await using cli = new CommandLine();
    const hog = 'x=$(head -c 30000000 /dev/zero | tr "\\0" a); echo full; while :; do :; done';
    const busy = await cli.spawn(`setsid sh -c '${hog}' & wait`);
    const stopped = await cli.spawn('sleep 1000');
    const { pid } = await cli.until(stopped, isRunning);
    process.kill(-pid, 'SIGSTOP');
    await cli.until(busy, ({ output }) => output.bytes > 0);
    await waitFor(async () => {
      const rows = await rowsOf(cli);
      const [, , , , , cpu = '', memory = ''] = rows.find(([id]) => id === busy) ?? [];
      const [, , status, , , idle, some = ''] = rows.find(([id]) => id === stopped) ?? [];
      assert.deepEqual([status, idle], ['running suspended', '0%']);
      assert.match(some, /^[\d.]+MB$/);
      assert.match(memory, /^[\d.]+MB$/);
      assert.match(cpu, /^\d+%$/);
      // On a busy machine the one core may belong to others during a look.
      return Number.parseFloat(memory) > 28 && Number.parseInt(cpu, 10) > 5;
    }, 'the tree to be seen at work');
    process.kill(-pid, 'SIGCONT');
  },
);
