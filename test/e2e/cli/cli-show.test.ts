import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { test } from 'node:test';
import { CommandLine, objects, type Snapshot } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { waitFor } from '../../support/world.ts';

const isRunning = ({ status }: Snapshot): boolean => status === 'running';

/** What `show` prints, by label. */
function fieldsOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  let label = '';
  for (const line of text.trimEnd().split('\n')) {
    label = line.slice(0, 12).trim() || label;
    const value = line.slice(12).trim();
    fields[label] = label in fields ? `${fields[label]}\n${value}` : value;
  }
  return fields;
}

test('show says everything about a task', async () => {
  await using cli = new CommandLine();
  const limits = ['-t', '90s', '--grace', '1s', '--max-output', '64k', '--leftovers', 'report'];
  const options = [
    '-s',
    'mine',
    '-n',
    'build',
    '-l',
    'a=1',
    '-l',
    'b=2',
    '--key',
    'a key',
    '--separate',
    ...limits,
  ];
  const command = 'echo last words; echo e >&2; false | exit 7';
  const taskId = await cli.ended(command, '--shell', 'bash', ...options);
  const { stdout } = await cli.run('show', '-s', 'mine', 'build');
  const shown = fieldsOf(stdout);
  const { output, pid, shimPid } = await cli.snapshot(taskId);
  const { 'spawned by': by, created, started, ended, duration, log, shell, ...others } = shown;
  const { 'cpu time': cpu, 'peak memory': peak, ...rest } = others;
  assert.deepEqual(rest, {
    task: taskId,
    name: 'build',
    session: 'mine',
    command,
    cwd: normalize(cli.base),
    labels: 'a=1 b=2',
    key: 'a key',
    status: 'failed',
    'exit code': '7',
    pid: String(pid),
    ...(onWindows ? {} : { pipeline: '1 7', 'shim pid': String(shimPid) }),
    told: 'pending for the session',
    timeout: '1m 30s',
    grace: '1s',
    'max output': '64KB',
    'keep output': '100MB',
    leftovers: 'report',
    output: `${output.path} (13B)`,
    stderr: output.stderrPath,
    'last words': '| last words',
  });
  assert.match(by ?? '', /^\d+ on \S+(?: \(Windows\))?$/);
  for (const time of [created, started, ended])
    assert.match(time ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  for (const span of onWindows ? [duration] : [duration, cpu]) assert.match(span ?? '', /^[\d.]+m?s$/);
  assert.match(peak ?? '', onWindows ? /^$/ : /^[\d.]+[KM]B$/);
  assert.match(shell ?? '', /[\\/]bash(?:\.exe)?$/);
  assert.equal(log, normalize(cli.logOf(taskId)));
});

test(
  'for an ended task with leftovers, show names them with their pids',
  notOnWindows('a shell of MSYS reports its own pids'),
  async () => {
    await using cli = new CommandLine();
    const taskId = await cli.ended('sleep 1000 & echo $!');
    const { 'last words': words, 'left running': named } = fieldsOf((await cli.run('show', taskId)).stdout);
    const pid = words?.slice(2);
    assert.equal(named, `${pid} sleep 1000`);
    // Whoever opens the session settles it.
    await cli.run('completions', '--ack');
    const [after, { leftovers }] = [await cli.run('show', taskId), await cli.snapshot(taskId)];
    const { 'left running': left, told } = fieldsOf(after.stdout);
    assert.deepEqual([left, told], [`${pid} sleep 1000`, 'acknowledged']);
    assert.deepEqual(
      leftovers.map((process: Snapshot) => [String(process.pid), process.command]),
      [[pid, 'sleep 1000']],
    );
    await cli.run('kill', taskId);
    assert.equal(fieldsOf((await cli.run('show', taskId)).stdout)['left running'], undefined);
  },
);

test('a running task shows its processes, also a process in its own session', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn(`${onWindows ? '' : 'setsid '}sleep 1000 & sleep 1001`);
  const sleeps = [/^\S*sleep(?:\.exe)? 1000$/, /^\S*sleep(?:\.exe)? 1001$/];
  const { pid, shimPid } = await cli.until(taskId, (task) =>
    sleeps.every((pattern) => task.processes.some(({ command }: Snapshot) => pattern.test(command))),
  );
  const { processes = '' } = fieldsOf((await cli.run('show', taskId)).stdout);
  assert.match(processes, /^\d+ \S*sleep(?:\.exe)? 1000$/m);
  assert.match(processes, /^\d+ \S*sleep(?:\.exe)? 1001$/m);
  assert.match(processes, new RegExp(`^${pid} `, 'm'));
  if (!onWindows) assert.doesNotMatch(processes, new RegExp(`^${shimPid} `, 'm'));
});

test('--facts tells the history of the task in order, with times; --json tells the same as objects', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000');
  await cli.until(taskId, isRunning);
  await cli.run('kill', '--signal', 'INT', '--grace', '2s', taskId);
  await cli.run('completions', '--ack');
  const [{ stdout }, json] = await Promise.all([
    cli.run('show', '--facts', taskId),
    cli.run('show', '--facts', '--json', taskId),
  ]);
  const history = objects(json.stdout);
  // Of a wrapper of Windows that is ended there may be an exit marker or not.
  const aside = onWindows ? /^(?:exit|pipe)$/ : /^pipe$/;
  const facts = history.map(({ fact }) => fact).filter((fact) => !aside.test(fact));
  assert.deepEqual(facts, [
    'spec',
    'started',
    'stop',
    ...(onWindows ? [] : ['stopping', 'exit']),
    'outcome',
    'delivered',
  ]);
  const times = history.flatMap(({ at }) => (at === null ? [] : [at]));
  assert.ok(times.length >= 4 && times.every((at) => Math.abs(Date.now() - at) < 60_000), json.stdout);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, history.length);
  for (const [index, { fact, text }] of history.entries()) {
    assert.match(lines[index] ?? '', new RegExp(`^.{23}  \\S* +${fact} +`));
    assert.ok(lines[index]?.endsWith(text), lines[index]);
  }
  assert.match(
    lines[0] ?? '',
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} .* asked for by process \d+ on \S+(?: \(Windows\))?$/,
  );
  assert.match(
    stdout,
    /its end was asked for: kill, by process \d+ on \S+(?: \(Windows\))? \(SIGINT, 2000 ms of grace\)$/m,
  );
  assert.match(stdout, /\+[\d.]+m?s +stop /);
});

test('a task is named by its id, a unique beginning of it, or its name: the running one, else the newest', async () => {
  await using cli = new CommandLine();
  const ended = async (name: string, sessionId = 'default'): Promise<string> => {
    const task = await (await cli.session(sessionId)).spawn('true', { name });
    return (await task.wait({ ack: false })).taskId;
  };
  const [old, newer, ofOther] = [await ended('build'), await ended('build'), await ended('theirs', 'other')];
  const idOf = async (...words: string[]) =>
    objects((await cli.run('show', '--json', ...words)).stdout)[0]?.taskId;
  const asked = [idOf(old), idOf(old.slice(0, 11)), idOf('build'), idOf(ofOther), idOf(ofOther.slice(0, 11))];
  assert.deepEqual(await Promise.all(asked), [old, old, newer, ofOther, ofOther]);
  assert.equal(await idOf('theirs'), ofOther);
  assert.equal(await idOf('-s', 'other', 'theirs'), ofOther);
  const running = await cli.spawn('sleep 1000', '-n', 'build');
  assert.equal(await idOf('build'), running);
});

test('64: an ambiguous reference is refused, the error names the tasks, and nothing is done', async () => {
  await using cli = new CommandLine();
  const ids = await Promise.all(
    ['one', 'other'].map(async (name) => await cli.spawn('sleep 1000', '-n', 'twice', '-s', name)),
  );
  // Of 17 tasks two share their first digit, and in its own session a beginning must be unique.
  const session = await cli.session('default');
  for (let count = 0; count < 17; count += 1) await session.spawn('true');
  const own = (await session.tasks()).map(({ taskId }) => taskId);
  const digits = own.map((id) => id.slice(0, 5));
  const shared = digits.find((digit, index) => digits.indexOf(digit) < index) ?? '';
  for (const [reference, meant] of [
    ['twice', ids],
    [shared, own.filter((id) => id.startsWith(shared))],
  ] as const) {
    const { status, stdout, stderr } = await cli.run('kill', '--json', reference);
    assert.equal(status, 64, `${reference}: ${stdout}${stderr}`);
    const { code, message } = JSON.parse(stderr).error;
    assert.equal(code, 'TASK_AMBIGUOUS');
    for (const id of meant) assert.ok(message.includes(id), message);
  }
  assert.deepEqual((await Promise.all(ids.map((id) => cli.snapshot(id)))).map(isRunning), [true, true]);
});

test(
  'run --on-exit runs a command at the end, and show tells how that command ended',
  notOnWindows('there are no hooks'),
  async () => {
    await using cli = new CommandLine();
    const out = join(cli.base, 'told');
    const hook = `echo "$OUTLIVE_STATUS $OUTLIVE_EXIT_CODE" >'${out}'; exit 2`;
    const taskId = await cli.ended('exit 5', '--on-exit', hook);
    const isEnded = ({ onExit }: Snapshot): boolean => onExit.state === 'ended';
    await waitFor(async () => isEnded(await cli.snapshot(taskId)), 'the hook to end');
    assert.equal(readFileSync(out, 'utf8'), 'failed 5\n');
    const { stdout } = await cli.run('show', taskId);
    const { 'on exit': command, hook: state, 'hook output': path } = fieldsOf(stdout);
    const { onExitPath } = await cli.snapshot(taskId);
    assert.deepEqual([command, state, path], [hook, 'ended, exit 2', onExitPath]);
    const facts = (await cli.run('show', '--facts', taskId)).stdout;
    assert.match(facts, /hook .*the hook is about to run.*hooked .*the hook ended with 2/s);
  },
);
