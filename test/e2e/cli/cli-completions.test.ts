import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { waitFor } from '../../support/world.ts';

test('completions are pending until --ack, and not told after that; each session has its own', async () => {
  await using cli = new CommandLine();
  const [taskId, other] = await Promise.all([
    cli.ended('echo hi; exit 3', '-n', 'n'),
    cli.ended('true', '-s', 'other'),
  ]);
  await cli.spawn('sleep 1000');
  const first = await cli.run('completions');
  assert.match(
    first.stdout,
    new RegExp(`^${taskId} failed, exit 3 after [\\d.]+m?s: n: echo hi; exit 3\n {2}\\| hi\n$`),
  );
  const [again, json] = [
    await cli.run('completions', '--ack'),
    await cli.run('completions', '-s', 'other', '--json'),
  ];
  assert.deepEqual(again, first);
  assert.deepEqual(
    objects(json.stdout).map((told) => [told.taskId, told.status, told.delivered]),
    [[other, 'completed', false]],
  );
  assert.deepEqual(await cli.run('completions', '--ack'), { status: 0, stdout: '', stderr: '' });
});

test('the text tells leftovers, a failure behind exit code 0, and the end of the output without escapes', async () => {
  await using cli = new CommandLine();
  const long = "seq 1 500; printf '\\033]0;title\\007\\033[31mred\\033[0m\\t10%%\\r100%%\\342\\200\\256\\n'";
  const taskId = await cli.ended(`sleep 1000 & ${long}; false | true`, '--shell', 'bash');
  const { stdout } = await cli.run('completions', '--store', cli.dir);
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^bgb-\w+ completed, hidden_failure, exit 0 after /);
  assert.equal(lines[1], '  a part of its pipeline failed: 1 0');
  assert.match(lines[2] ?? '', /^ {2}left running: (?:.*; )?\d+ \S*sleep(?:\.exe)? 1000$/);
  assert.deepEqual(lines.slice(-3, -1), ['  | 500', '  | 100%    10%']);
  const all = `outlive logs --store ${cli.dir} ${taskId}`;
  assert.equal(lines.at(-1), `  the end of 1.9KB of output; all of it: ${all}`);
  assert.ok(
    lines.slice(3, -1).every((line) => /^ {2}\| [\d% ]+$/.test(line)),
    stdout,
  );
});

test('--follow tells pending ends, ends that other processes add, and ends that come meanwhile, until an interrupt', async () => {
  await using cli = new CommandLine();
  const release = `${cli.base}/go`;
  const pending = await cli.ended('exit 1');
  const waiting = await cli.spawn(`until [ -e ${release} ]; do sleep 0.05; done; exit 2`);
  const follower = cli.start(['completions', '--follow', '--json', '--ack']);
  await follower.says(pending);
  const added = await cli.spawn('exit 3');
  await follower.says(added);
  writeFileSync(release, '');
  await follower.says(waiting);
  // What was printed and is not acknowledged yet would be pending to the next reader.
  await cli.until(waiting, ({ delivered }) => delivered);
  const { status, stdout, stderr } = await follower.interrupted();
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(
    objects(stdout).map(({ taskId, exitCode }) => [taskId, exitCode]),
    [
      [pending, 1],
      [added, 3],
      [waiting, 2],
    ],
  );
  assert.equal((await cli.run('completions')).stdout, '');
});

test('of two followers with --ack, one is told of each end; without --ack both are', async () => {
  await using cli = new CommandLine();
  const words = ['completions', '--follow', '--json'];
  const both = [cli.start(words), cli.start(words)];
  const exclusive = [cli.start([...words, '--ack']), cli.start([...words, '--ack'])];
  await Promise.all([...both, ...exclusive].map((follower) => follower.waits()));
  const session = await cli.session('default');
  const tasks = await Promise.all(Array.from({ length: 6 }, async () => await session.spawn('true')));
  const ids = tasks.map(({ id }) => id).toSorted();
  const idsIn = (text: string): string[] => objects(text).map(({ taskId }) => taskId);
  const told = (): string[] => exclusive.flatMap(({ stdout }) => idsIn(stdout)).toSorted();
  await waitFor(() => told().length >= ids.length, 'everything to be told once');
  await waitFor(async () => (await session.pending()).length === 0, 'everything to be acknowledged');
  assert.deepEqual(told(), ids);
  // What was acknowledged before the others looked is told by nobody else.
  for (const { stdout } of both) assert.equal(new Set(idsIn(stdout)).size, idsIn(stdout).length);
});
