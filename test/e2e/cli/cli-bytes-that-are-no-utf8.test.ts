import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, CommandLine } from '../../support/command-line.ts';

/** The program with words and variables that bash makes of its own escapes: Node hands on text alone. */
class Bytes extends CommandLine {
  async bash(variables: string, words: string): Promise<Answer> {
    const program = `${variables} exec "$@" ${words}`;
    return await this.call([], { before: ['bash', '-c', program, 'bash'] });
  }
}

for (const [what, words] of [
  ['a command', "run $'printf \\xff'"],
  ['a word of a command', "run printf $'\\xe2\\x82'"],
  ['the name of a folder', "run -C $'/tmp/\\xff' pwd"],
  ['the value of a variable', "run -e $'A=s3cret\\xff' true"],
  ['the name of a task', "show $'\\xff'"],
  ['the name of a session', "ps -s $'\\xed\\xa0\\x80'"],
  ['the name of a store', "ps --store $'/tmp/\\xff'"],
] as const) {
  test(`${what} with bytes that are not UTF-8 is refused, and the error does not repeat it`, async () => {
    await using cli = new Bytes();
    const { status, stdout, stderr } = await cli.bash('', words);
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
    assert.match(stderr, /^outlive: expected words of UTF-8 text; found other bytes in word \d\./);
    assert.doesNotMatch(stderr, /s3cret/);
    assert.deepEqual(cli.files(), []);
  });
}

for (const [what, variables] of [
  ['OUTLIVE_SESSION', "OUTLIVE_SESSION=$'a\\xff'"],
  ['OUTLIVE_HOME', "OUTLIVE_HOME=$'/tmp/outlive-\\xff'"],
  ['the home folder', "HOME=$'/tmp/outlive-\\xff' OUTLIVE_HOME="],
] as const) {
  test(`${what} with such bytes is refused, and nothing with another name is made`, async () => {
    await using cli = new Bytes();
    const { status, stdout, stderr } = await cli.bash(variables, 'run true');
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
    assert.match(stderr, /UTF-8 text \(U\+FFFD stands for other bytes\)/);
    assert.deepEqual(cli.taskIds(), []);
  });
}

test('U+FFFD itself is a character like any other', async () => {
  await using cli = new CommandLine();
  const { status, stdout } = await cli.run('run', '--wait', 'echo "\uFFFD"');
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '\uFFFD\n' });
});

test('a variable with such bytes reaches the command as it is', async () => {
  await using cli = new Bytes();
  const words = `run --wait 'printf %s "$X" | od -An -tx1'`;
  const { status, stdout } = await cli.bash("X=$'a\\xff'", words);
  assert.deepEqual({ status, stdout: stdout.trim() }, { status: 0, stdout: '61 ff' });
});
