import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';

/** What people type who mean something else, and what they are told. Nothing runs, and nothing is made. */
const mistakes: readonly (readonly [words: readonly string[], says: RegExp])[] = [
  [['run', '--wait', '10s', 'true'], /expected --wait=10s; found a blank .*outlive run --help/],
  [['run', '--wait', 'none', 'true'], /expected --wait=none/],
  [['run', '--queue', '2', 'true'], /expected --queue=2/],
  [['run', 'touch made', '--wait'], /expected options before the command; found "--wait" after "touch made"/],
  [['run', 'touch made', '-n', 'x'], /found "-n" after "touch made"/],
  [['run', 'touch made', 'there'], /expected one quoted command, or several words/],
  [['run', '-n', '', 'true'], /Expected a name that is not empty/],
  [['run', '-t', '0s', 'true'], /--timeout .*Expected more than 0, or none/],
  [['run', '-t', '10', 'true'], /Expected a number with its unit/],
  [['run', '--memory', '1k', 'true'], /expected --memory to be|no limit on what a task may use/],
  [['run', '--replace', 'true'], /expected --name with --replace/],
  [['show', ''], /expected the id or name of a task; found an empty one/],
  [['kill', ''], /found an empty one/],
  [['help', 'nosuch'], /expected a verb after help; found "nosuch"/],
  [['prune', 'x', '--max-bytes', '1'], /expected tasks, or --max-bytes; found both/],
];

for (const [words, says] of mistakes)
  test(`outlive ${words.map((word) => (word === '' ? "''" : word)).join(' ')} is a mistake that is reported before anything runs`, async () => {
    await using cli = new CommandLine();
    const { status, stdout, stderr } = await cli.run(...words);
    assert.deepEqual([status, stdout], [64, '']);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /timeoutMs|memoryBytes|maxRunning|onLimit/);
    assert.equal(stderr.trim().split('\n').length, 1);
    assert.deepEqual(
      cli.files().filter((path) => path.startsWith('/sessions')),
      [],
    );
  });

test('verbs that only read or stop report a missing store, and run makes it', async () => {
  await using cli = new CommandLine();
  const store = `${cli.base}/elsewhere`;
  for (const words of [['ps'], ['show', 'x'], ['kill', '--all'], ['prune'], ['completions']]) {
    const { status, stderr } = await cli.run(...words, '--store', store);
    assert.equal(status, 64);
    assert.match(stderr, /expected a store at .*elsewhere"; found nothing there/);
  }
  assert.equal((await cli.run('run', '--store', store, '--wait', 'true')).status, 0);
  assert.equal((await cli.run('ps', '--store', store)).status, 0);
});

test('run, show and wait report a limit that nothing enforces', {
  skip: (onWindows || process.geteuid?.() !== 0) && 'the system exempts root alone',
}, async () => {
  await using cli = new CommandLine();
  const { status, stderr } = await cli.run('run', '--processes', '500', '--wait', 'true');
  const [ended = ''] = cli.taskIds();
  const { limits } = await cli.snapshot(ended);
  assert.equal(status, 0);
  const isHeld = limits[0].by !== 'nothing';
  assert.equal(/nothing enforces --processes/.test(stderr), !isHeld);
  const [shown, running, waited] = [
    await cli.run('show', ended),
    await cli.run('run', '--processes', '500', '-n', 'goes-on', 'sleep 1000'),
    await cli.run('wait', '--timeout', '1ms', 'goes-on'),
  ];
  assert.match(shown.stdout, isHeld ? /^processes +500, enforced by / : /^processes +500, not enforced: /m);
  for (const { stderr } of [running, waited, await cli.run('wait', ended)])
    assert.equal(/nothing enforces --processes/.test(stderr), !isHeld, stderr);
});

test('aliases are other names for our verbs', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo hello; sleep 1000', '-n', 'dev');
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  for (const alias of ['ls', 'list', 'status'])
    assert.match((await cli.run(alias)).stdout, new RegExp(`^${taskId}`));
  for (const alias of ['tail', 'log']) assert.equal((await cli.run(alias, 'dev')).stdout, 'hello\n');
  assert.match((await cli.run('inspect', 'dev')).stdout, /hello/);
  assert.match((await cli.run('stop', 'dev')).stdout, /killed/);
  assert.equal((await cli.run('rm', 'dev')).stdout, `${taskId}\n`);
  assert.match((await cli.run('help', 'rm')).stdout, /^Usage: outlive prune/);
});

test('the help of every verb has examples and exit statuses, and fits 80 columns', async () => {
  await using cli = new CommandLine();
  const { stdout } = await cli.run('help');
  const tooLong = (help: string): string[] => help.split('\n').filter((line) => line.length > 80);
  assert.deepEqual(tooLong(stdout), []);
  const verbs = [...stdout.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, verb = '']) => verb);
  assert.ok(verbs.includes('restart'));
  for (const verb of verbs.filter((name) => name !== 'help')) {
    const help = (await cli.run(verb, '--help')).stdout;
    assert.match(help, /\nExamples:\n {2}\$ outlive|\nExamples:\n {2}\$ source/, verb);
    assert.deepEqual(tooLong(help), [], verb);
    assert.match(help, /\nExit status:\n(?: {2}[\d*]+ +\S.*\n?)+$/, verb);
  }
});

const longLines = notOnWindows('a command line has at most 32,767 characters there');

test('more words than can be parsed are refused by name', longLines, async () => {
  await using cli = new CommandLine();
  const words = Array.from({ length: 150_000 }, () => 'x');
  const { status, stderr } = await cli.call(['run', 'true'].concat(words));
  assert.equal(status, 64);
  assert.match(stderr, /^outlive: expected at most 100000 words; found 150002\./);
});
