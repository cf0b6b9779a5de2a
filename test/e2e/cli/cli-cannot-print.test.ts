import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, CommandLine, objects } from '../../support/command-line.ts';

const options = { skip: process.platform !== 'linux' && 'only Linux has a disk that is always full' };

/** Runs the program with a stream on a full disk. */
async function onFullDisk(cli: CommandLine, stream: 1 | 2, ...words: string[]): Promise<Answer> {
  const before = ['sh', '-c', `exec "$@" ${stream}>/dev/full`, 'sh'];
  return await cli.call(words, { before });
}

test(
  'when a result cannot be printed, one line says so, the status is 125, and nothing is acknowledged',
  options,
  async () => {
    await using cli = new CommandLine();
    const dev = await cli.spawn('echo error; exec sleep 1000', '-n', 'dev');
    await cli.until(dev, ({ output }) => output.bytes > 0);
    await cli.run('watch', 'dev', 'error');
    const ended = await cli.ended('echo done; exit 3');
    const before = (await cli.run('completions')).stdout;
    for (const words of [
      ['completions', '--ack'],
      ['completions', '--next'],
      ['completions', '--follow', '--ack'],
      ['wait', ended],
      ['wait', 'dev', '--for', 'pattern=error'],
      ['ps'],
      ['show', 'dev'],
      ['logs', 'dev'],
      ['logs', '-f', 'dev'],
      ['run', '--wait', '--follow', 'echo x; exec sleep 1000'],
      ['--help'],
      ['run', '--help'],
      ['--version'],
      ['completion', 'bash'],
    ]) {
      const { status, stderr } = await onFullDisk(cli, 1, ...words);
      assert.equal(status, 125, words.join(' '));
      assert.match(
        stderr,
        /^outlive: expected to write the output; found ENOSPC: .*\. Free some space there, or redirect the output\.\n$/,
      );
    }
    assert.equal((await cli.run('completions', '--ack')).stdout, before);
    const { stderr } = await onFullDisk(cli, 1, 'ps', '--json');
    assert.equal(objects(stderr)[0]?.error.code, 'PRINT_FAILED');
  },
);

test('when the id of a started task cannot be printed, the error names the task', options, async () => {
  await using cli = new CommandLine();
  for (const words of [
    ['run', '-n', 'dev', 'exec sleep 1000'],
    ['restart', 'dev'],
  ]) {
    const { status, stderr } = await onFullDisk(cli, 1, ...words);
    const { taskId } = await cli.snapshot('dev');
    assert.equal(status, 125);
    assert.match(
      stderr,
      new RegExp(`^outlive: ${taskId} was started, and keeps running\noutlive: expected to write`),
    );
  }
});

test('a note that cannot be written changes neither the output nor the exit status', options, async () => {
  await using cli = new CommandLine();
  await cli.spawn('exec sleep 1000', '-n', 'dev');
  for (const [words, status, says] of [
    [['run', '-n', 'dev', '--replace', 'exec sleep 1000'], 0, /^bgb-\w+\n$/],
    [['wait', 'dev', '--timeout', '1ms'], 122, /^$/],
    [['show', 'nosuch'], 120, /^$/],
    [['show', 'nosuch', '--json'], 120, /^$/],
    [['nosuch'], 64, /^$/],
    [['run', '--wait', '--separate', 'echo a; exit 7'], 7, /^a\n$/],
    // That is no note, but what somebody wanted to have.
    [['run', '--wait', '--separate', 'echo a; echo b >&2'], 125, /^a\n$/],
  ] as const) {
    const answer = await onFullDisk(cli, 2, ...words);
    assert.deepEqual(
      [answer.status, says.test(answer.stdout)],
      [status, true],
      `${words.join(' ')}: ${answer.stdout}`,
    );
  }
});
