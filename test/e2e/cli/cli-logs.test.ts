import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { waitFor } from '../../support/world.ts';

/** What `logs` printed, and nothing on stderr. */
async function printed(cli: CommandLine, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await cli.run('logs', ...words);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, words.join(' '));
  return stdout;
}

test('logs prints all output, the last lines, the last bytes, or a stretch', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('seq 1 20000; printf end');
  const all = `${Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('')}end`;
  const cases: [string[], string][] = [
    [[], all],
    [['-n', '3'], '19999\n20000\nend'],
    [['-n', '0'], ''],
    [['-n', '10000'], all.slice(all.indexOf('10002\n'))],
    [['-n', '30000'], all],
    [['--bytes', '9'], all.slice(-9)],
    [['--bytes', '0'], ''],
    [['--offset', '108000'], all.slice(108_000)],
    [['--offset', '4', '--bytes', '6'], all.slice(4, 10)],
    [['--offset', '1k', '--bytes', '1k'], all.slice(1024, 2048)],
  ];
  const answers = await Promise.all(cases.map(([words]) => printed(cli, taskId, ...words)));
  for (const [index, [words, expected]] of cases.entries())
    assert.ok(answers[index] === expected, `${words.join(' ')}: ${answers[index]?.slice(0, 60)}`);
});

test('--stderr prints the stderr of a task with --separate; without --separate it says where to look', async () => {
  await using cli = new CommandLine();
  const [apart, merged] = [
    await cli.ended('echo out; echo err >&2', '--separate'),
    await cli.ended('echo out; echo err >&2'),
  ];
  const [out, err, both, none] = await Promise.all([
    printed(cli, apart, '--stdout'),
    printed(cli, apart, '--stderr'),
    printed(cli, merged),
    cli.run('logs', merged, '--stderr'),
  ]);
  assert.deepEqual([out, err, both], ['out\n', 'err\n', 'out\nerr\n']);
  assert.deepEqual([none.status, none.stdout], [0, '']);
  assert.match(none.stderr, /^outlive: bgb-\w+ writes stdout and stderr to one file: [^\n]*\n$/);
});

test('through a pipe the bytes are those of the command; --plain removes escapes and folds progress bars', async () => {
  await using cli = new CommandLine();
  const bytes = '\\000\\377\\303\\033[31mred\\033[0m\\033]0;title\\007\\r\\n 10%%\\r100%%\\n\\342\\202';
  const taskId = await cli.ended(`printf '${bytes}'`);
  const viaPipe = `${cli.inShell} logs --store ${cli.dir} ${taskId} | cat | od -An -v -tx1 | tr -d ' \\n'`;
  const hex = (await cli.run('run', '--wait', '--', viaPipe)).stdout;
  const expected = `00ffc3${Buffer.from('\x1b[31mred\x1b[0m\x1b]0;title\x07\r\n 10%\r100%\n').toString('hex')}e282`;
  assert.equal(hex, expected);
  const plain = await printed(cli, taskId, '--plain');
  assert.equal(plain, '\ufffd\ufffdred\n100%\n\ufffd');
});

test('--plain shows what a terminal would: the last state of a huge progress bar, of a spinner and of two bars', async () => {
  await using cli = new CommandLine();
  const [bar, spinner, bars] = [
    // One line of more than a mebibyte.
    await cli.ended("seq -f '%06.0f of 150000' -s \"$(printf '\\r')\" 150000; echo end"),
    await cli.ended("printf 'Installing |\\b/\\b-\\bdone\\n'"),
    await cli.ended("printf 'a 1%%\\nb 2%%\\n\\033[2A\\033[2Ka 99%%\\n\\033[2Kb done\\n'"),
  ];
  assert.equal(await printed(cli, bar, '--plain'), '150000 of 150000\nend\n');
  assert.equal(await printed(cli, spinner, '--plain'), 'Installing done\n');
  assert.equal(await printed(cli, bars, '--plain'), 'a 99%\nb done\n');
});

test('-f prints output until the end, from the beginning or from -n; with --plain in whole lines', async () => {
  await using cli = new CommandLine();
  const release = `${cli.base}/go`;
  const command = `seq 1 5; until [ -e ${release} ]; do sleep 0.05; done; printf ' 1%%\\r'; sleep 0.2; echo 99%; echo 6`;
  const taskId = await cli.spawn(command);
  const all = cli.start(['logs', '-f', taskId]);
  const last = cli.start(['logs', '-f', '-n', '2', taskId]);
  const plain = cli.start(['logs', '-f', '-n', '1', '--plain', taskId]);
  const json = cli.start(['logs', '-f', '--offset', '8', '--plain', '--json', taskId]);
  await Promise.all([all.says('5\n'), last.says('5\n'), plain.says('5\n'), json.says('"5\\n"')]);
  assert.equal(last.stdout, '4\n5\n');
  writeFileSync(release, '');
  const answers = await Promise.all([all.answer, last.answer, plain.answer, json.answer]);
  assert.deepEqual(
    answers.map(({ status, stderr }) => [status, stderr]),
    [
      [0, ''],
      [0, ''],
      [0, ''],
      [0, ''],
    ],
  );
  const [whole, end, folded, chunks] = answers.map(({ stdout }) => stdout);
  assert.deepEqual([whole, end], ['1\n2\n3\n4\n5\n 1%\r99%\n6\n', '4\n5\n 1%\r99%\n6\n']);
  assert.equal(folded, '5\n99%\n6\n');
  const texts = objects(chunks ?? '').map(({ text }) => text);
  assert.equal(texts.join(''), '5\n99%\n6\n');
});

test('--json prints one chunk per line: offsets add up, and no character is split or lost', async () => {
  await using cli = new CommandLine();
  // Three bytes a character: a boundary of chunks falls inside of one.
  const taskId = await cli.ended("yes € | head -n 600000 | tr -d '\\n'; printf '\\342\\202'");
  const [all, part] = await Promise.all([
    cli.run('logs', '--json', taskId),
    cli.run('logs', '--json', '--offset', '1', '--bytes', '4', taskId),
  ]);
  const chunks = objects(all.stdout);
  assert.ok(chunks.length > 2);
  let offset = 0;
  for (const chunk of chunks) {
    assert.deepEqual([chunk.taskId, chunk.stream, chunk.size], [taskId, 'stdout', 1_800_002]);
    assert.deepEqual([chunk.offset, chunk.omittedBytes, chunk.beginsAt], [offset, 0, 0]);
    offset = chunk.nextOffset;
    assert.equal(chunk.more, offset < 1_800_002);
  }
  assert.equal(offset, 1_800_002);
  const text = chunks.map((chunk) => chunk.text).join('');
  assert.ok(text === `${'€'.repeat(600_000)}\ufffd`, `${text.length} characters, ${text.slice(-3)}`);
  const split = objects(part.stdout);
  assert.deepEqual(
    split.map(({ offset, nextOffset, text }) => [offset, nextOffset, text]),
    [
      [1, 3, '\ufffd\ufffd'],
      [3, 5, ''],
      [5, 5, '\ufffd'],
    ],
  );
});

test('if the middle was cut out of an output, stderr says so, and --json as omittedBytes', async () => {
  await using cli = new CommandLine();
  const session = await cli.session('default');
  const task = await session.spawn('seq 1 20000', { keepOutputBytes: 4096 });
  const { output } = await task.wait();
  // It is shortened in the background, after the end was told.
  await waitFor(() => statSync(output.path).size < 5000, 'the output to be cut');
  await session.close();
  const [all, lines, inside, bar, json] = await Promise.all([
    cli.run('logs', task.id),
    cli.run('logs', '-n', '400', task.id),
    cli.run('logs', '--offset', '50000', task.id),
    cli.run('logs', '--plain', task.id),
    cli.run('logs', '--json', task.id),
  ]);
  for (const { status, stdout, stderr } of [all, lines, inside, bar]) {
    assert.equal(status, 0);
    assert.match(stderr, /^outlive: \d+ bytes before byte \d+ were removed after the task ended\n$/);
    assert.ok(stdout.endsWith('19999\n20000\n'));
  }
  assert.ok(all.stdout.startsWith('1\n2\n') && all.stdout.length < 5000);
  assert.equal(lines.stdout.split('\n').length, 401);
  assert.ok(!inside.stdout.startsWith('1\n'));
  const omitted = objects(json.stdout).map(({ omittedBytes }) => omittedBytes);
  assert.equal(omitted.reduce((sum, bytes) => sum + bytes) + all.stdout.length, 108_894);
});
