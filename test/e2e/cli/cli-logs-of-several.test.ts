import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { Terminal } from '../../support/terminal.ts';
import { quote } from '../../support/world.ts';

/** A command that goes on when a file is there. */
const after = (file: string): string => `until [ -e ${quote(file)} ]; do sleep 0.05; done`;

/** What `logs` printed, and nothing on stderr. */
async function printed(cli: CommandLine, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await cli.run('logs', ...words);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, words.join(' '));
  return stdout;
}

test(
  'lines of several tasks come whole, in the order of time, each after the name of its task',
  notOnWindows('the Windows wrapper records no times'),
  async () => {
    await using cli = new CommandLine();
    const go = `${cli.base}/go`;
    const web = await cli.spawn(`echo first; ${after(go)}; echo third; printf 'no end'`, '-n', 'web');
    await cli.until(web, ({ output }) => output.bytes > 0);
    // A mark of the first line is there about a second after it.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const nameless = await cli.ended('printf "second\\nand no end"');
    writeFileSync(go, '');
    await cli.until(web, ({ endedAt }) => endedAt !== null);
    const text = await printed(cli, 'web', nameless);
    const lines = text.split('\n');
    assert.deepEqual(lines.toSorted(), [
      '',
      `${nameless} | and no end`,
      `${nameless} | second`,
      `${'web'.padEnd(nameless.length)} | first`,
      `${'web'.padEnd(nameless.length)} | no end`,
      `${'web'.padEnd(nameless.length)} | third`,
    ]);
    assert.match(text, /first\n.*second\n.*and no end\n.*third/);
    assert.equal(await printed(cli, nameless, '-n', '1'), 'and no end');
    assert.match(await printed(cli, 'web', nameless, '-n', '1'), /^\S+ +\| .*no end\n\S+ +\| .*no end\n$/);
  },
);

test('two tasks with one name are distinguished, and a task that is named twice is printed once', async () => {
  await using cli = new CommandLine();
  const [one, two] = [await cli.ended('echo 1', '-n', 'job'), await cli.ended('echo 2', '-n', 'job')];
  const lines = (await printed(cli, one, two, 'job')).split('\n').filter(Boolean);
  assert.equal(lines.length, 2);
  const [names, texts] = [0, 1].map((part) => lines.map((line) => line.split(' | ')[part]?.trim()));
  assert.equal(new Set(names).size, 2);
  assert.deepEqual(texts?.toSorted(), ['1', '2']);
});

test('for a task with separate streams both are printed, or the one that is asked for', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('echo out; echo err >&2; printf end', '--separate');
  const [both, out, err, json] = await Promise.all([
    printed(cli, taskId),
    printed(cli, taskId, '--stdout'),
    printed(cli, taskId, '--stderr'),
    printed(cli, taskId, '--json'),
  ]);
  assert.deepEqual(both.split('\n').filter(Boolean).toSorted(), ['end', 'err', 'out']);
  assert.deepEqual([out, err], ['out\nend', 'err\n']);
  assert.deepEqual(
    objects(json).map(({ stream, text }) => [stream, text]),
    [
      ['stdout', 'out\nend'],
      ['stderr', 'err\n'],
    ],
  );
});

test('--grep prints the lines in which a pattern is found; with -n the last of them', async () => {
  await using cli = new CommandLine();
  const command =
    "seq 1 3000; printf '\\033[31mError\\033[0m one\\n10%%\\rerror two\\r\\n'; seq 1 9; printf 'error three'";
  const taskId = await cli.ended(command, '-n', 'noisy');
  const other = await cli.ended('echo error four');
  const found = 'Error one\nerror two\nerror three\n';
  const cases: [string[], string][] = [
    [[taskId, '--grep', '(?i)error'], found],
    [[taskId, '--grep', '(?i)error', '-n', '2'], 'error two\nerror three\n'],
    [[taskId, '--grep', '(?i)error', '-n', '0'], ''],
    [[taskId, '--grep', '^299\\d$', '-n', '1'], '2999\n'],
    [[taskId, '--grep', 'nothing like it'], ''],
    [[other, taskId, '--grep', 'error t'], 'noisy            | error two\nnoisy            | error three\n'],
  ];
  const answers = await Promise.all(cases.map(([words]) => printed(cli, ...words)));
  for (const [index, [words, expected]] of cases.entries())
    assert.equal(answers[index], expected, words.join(' '));
  const [match, ...more] = objects(await printed(cli, taskId, '--grep', 'two', '--json'));
  assert.deepEqual(
    [match?.taskId, match?.stream, match?.line, match?.text, more],
    [taskId, 'stdout', 'error two', 'two', []],
  );
});

test('a pattern that a backtracking engine would never finish is answered at once', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended(`head -c 3000 /dev/zero | tr '\\0' a; echo '!'`);
  assert.equal(await printed(cli, taskId, '--grep', '^(a+)+$'), '');
  assert.match(await printed(cli, taskId, '--grep', '^(a+)+!$'), /^a{3000}!\n$/);
});

test('-f prints the lines of several tasks as they come, and says how each ended', async () => {
  await using cli = new CommandLine();
  const go = `${cli.base}/go`;
  await cli.spawn(`echo one; ${after(go)}; printf 'li'; sleep 0.2; echo ne; exit 3`, '-n', 'a');
  await cli.spawn(`echo two; ${after(go)}; echo more >&2`, '-n', 'bb', '--separate');
  const follow = cli.start(['logs', '-f', 'a', 'bb']);
  await Promise.all([follow.says('a  | one\n'), follow.says('bb | two\n')]);
  writeFileSync(go, '');
  const { status, stdout, stderr } = await follow.answer;
  assert.equal(status, 0);
  assert.deepEqual(stdout.split('\n').toSorted(), ['', 'a  | line', 'a  | one', 'bb | more', 'bb | two']);
  assert.match(stderr, /^outlive: bgb-\w+ failed, exit 3 after \S+: a: /m);
  assert.match(stderr, /^outlive: bgb-\w+ completed, exit 0 after \S+: bb: /m);
});

test(
  'on a terminal -f shows lines without an end, such as a prompt, and each task has its own lines',
  notOnWindows('the terminal is tmux'),
  async () => {
    await using cli = new CommandLine();
    const go = `${cli.base}/go`;
    const ask = `printf 'Your name: '; ${after(go)}; printf 'Ada\nwork'; sleep 0.6; printf '\rdone\n'`;
    await cli.spawn(ask, '-n', 'ask');
    await cli.spawn(`echo up; ${after(go)}; sleep 0.3; echo more; sleep 1000`, '-n', 'web');
    await using terminal = await Terminal.open(cli.base, {
      command: `${cli.inShell} logs -f ask web; sleep 1000`,
      env: cli.environment(),
    });
    await terminal.shows(/^web \| up$/m);
    await terminal.shows(/^ask \| Your name:$/m);
    writeFileSync(go, '');
    const screen = await terminal.shows(/^outlive: bgb-\w+ completed, exit 0 after /m);
    assert.match(screen, /^ask \| (?:Your name: )?Ada$/m);
    assert.match(screen, /^web \| more$/m);
    assert.match(screen, /^ask \| done\noutlive: /m);
    assert.doesNotMatch(screen, /workdone/);
  },
);

test('--all prints running tasks; with -f also new ones, however short, until it is interrupted', async () => {
  await using cli = new CommandLine();
  await cli.ended('echo old');
  assert.equal((await cli.run('logs', '--all')).stderr, 'outlive: no task runs in session default\n');
  await cli.spawn('echo theirs; sleep 1000', '-s', 'other');
  const dev = await cli.spawn('echo early; sleep 1000', '-n', 'dev');
  await cli.until(dev, ({ output }) => output.bytes > 0);
  assert.equal(await printed(cli, '--all'), 'dev | early\n');
  const [follow, grep, json] = [[], ['--grep', 'a[rt]'], ['--json']].map((more) =>
    cli.start(['logs', '--all', '-f', ...more]),
  );
  assert.ok(follow && grep && json);
  await Promise.all([follow.says('early\n'), grep.says('early\n'), json.says('early')]);
  await cli.ended('echo late', '-n', 'job');
  await Promise.all([follow.says('job | late\n'), grep.says('job | late\n'), json.says('late')]);
  const answers = await Promise.all([follow, grep, json].map((running) => running.interrupted()));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [0, 0, 0],
  );
  for (const { stdout } of answers) assert.doesNotMatch(stdout, /old|theirs/);
});

test('contradictory options are refused before anything is printed', async () => {
  await using cli = new CommandLine();
  const [apart, other] = [await cli.ended('echo x', '--separate'), await cli.ended('echo y')];
  const cases: [string[], RegExp][] = [
    [[], /expected a task, several, or --all; found none/],
    [['--all', apart], /expected tasks, or --all; found both/],
    [[apart, other, '--bytes', '1'], /expected one task with --bytes or --offset; found 2/],
    [['--all', '--offset', '1'], /expected one task with --bytes or --offset; found --all/],
    [[apart, '--offset', '0'], /expected --stdout or --stderr with --bytes or --offset/],
    [[other, '--grep', 'x', '--bytes', '1'], /--grep together with --bytes/],
    [
      [other, '--grep', '(?=x)'],
      /expected --grep to be a regular expression that can be matched in linear time/,
    ],
    [[other, '--grep', ''], /expected --grep to be of 1 to 4096 bytes/],
  ];
  const answers = await Promise.all(cases.map(([words]) => cli.run('logs', ...words)));
  for (const [index, [words, message]] of cases.entries()) {
    const { status, stdout, stderr = '' } = answers[index] ?? {};
    assert.deepEqual([status, stdout], [64, ''], `${words.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
});
