import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';

/** The lines of output in what was printed of an end. */
function linesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('  | ') ? [line.slice('  | '.length)] : []));
}

test('the shown output begins at the start of a line; -n sets how many lines wait and completions show', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('seq -f "line %05.0f" 1 3000', '-n', 'long');
  const all = Array.from({ length: 3000 }, (_, index) => `line ${String(index + 1).padStart(5, '0')}`);
  const cases: [string[], string[]][] = [
    [[], all.slice(-27)],
    [['-n', '0'], []],
    [['-n', '1'], all.slice(-1)],
    [['--lines', '100'], all.slice(-100)],
    [['-n', '9999'], all],
  ];
  for (const [words, expected] of cases) {
    const [wait, completions] = [
      await cli.run('completions', ...words),
      await cli.run('wait', '-s', 'another', taskId, ...words),
    ];
    for (const { stdout } of [wait, completions]) {
      assert.deepEqual(linesIn(stdout), expected, words.join(' '));
      const isAll = expected.length === all.length;
      assert.equal(stdout.includes('of output; all of it: outlive logs'), !isAll, words.join(' '));
    }
  }
  const { output } = oneObject((await cli.run('wait', '-s', 'another', taskId, '-n', '2', '--json')).stdout);
  assert.deepEqual([output.preview, output.truncated], ['line 02999\nline 03000\n', true]);
  assert.equal((await cli.run('completions', '-n', '-1')).status, 64);
  const taken = await cli.run('completions', '--ack', '--json', '-n', '3');
  assert.equal(oneObject(taken.stdout).output.preview, `${all.slice(-3).join('\n')}\n`);
  assert.equal((await cli.run('completions')).stdout, '');
});

test('completions --follow shows the requested number of lines for each new end', async () => {
  await using cli = new CommandLine();
  const follow = cli.start(['completions', '--follow', '-n', '2']);
  const taking = cli.start(['completions', '-s', 'other', '--follow', '--ack', '-n', '1']);
  await Promise.all([follow.waits(), taking.waits()]);
  await Promise.all([cli.ended('seq 1 90'), cli.ended('seq 1 91', '-s', 'other')]);
  await Promise.all([follow.says('| 90\n'), taking.says('| 91\n')]);
  const [some, one] = [await follow.interrupted(), await taking.interrupted()];
  assert.deepEqual([linesIn(some.stdout), linesIn(one.stdout)], [['89', '90'], ['91']]);
});

test('of an output that is one long line, the end is shown', async () => {
  await using cli = new CommandLine();
  await cli.ended('seq -s, 1 3000', '-n', 'long');
  const [plain, one] = [await cli.run('completions'), await cli.run('completions', '-n', '1')];
  assert.match(linesIn(plain.stdout)[0] ?? '', /^[\d,]{299}3000$|^[\d,]{295}3000$/);
  assert.match(linesIn(one.stdout)[0] ?? '', /^1,2,3,.*,3000$/);
});
