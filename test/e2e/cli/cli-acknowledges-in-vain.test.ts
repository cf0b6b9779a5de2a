import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, CommandLine } from '../../support/command-line.ts';

const options = { skip: process.platform !== 'linux' && 'only Linux has mount namespaces' };

/** Runs the program where the store is on a disk that is read-only. */
async function onReadOnlyDisk(cli: CommandLine, ...words: string[]): Promise<Answer> {
  const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  return await cli.call(words, { before: ['unshare', '--mount', 'sh', '-c', script, cli.dir] });
}

test(
  'an acknowledgement that cannot be recorded is reported, and the end stays pending',
  options,
  async () => {
    await using cli = new CommandLine();
    const ended = await cli.ended('exit 3');
    const before = (await cli.run('completions')).stdout;
    for (const words of [
      ['completions', '--ack'],
      ['wait', ended],
    ]) {
      const { status, stderr, stdout } = await onReadOnlyDisk(cli, ...words);
      assert.equal(status, words[0] === 'wait' ? 3 : 0);
      assert.match(stdout + stderr, /failed, exit 3/);
      assert.match(
        stderr,
        new RegExp(
          `outlive: warning: the acknowledgement of ${ended} could not be recorded, so its end stays pending: EROFS`,
        ),
      );
    }
    assert.equal((await cli.run('completions')).stdout, before);
  },
);

test(
  'a watch that cannot be recorded fails, and nothing says that the task is watched',
  options,
  async () => {
    await using cli = new CommandLine();
    const dev = await cli.spawn('exec sleep 1000', '-n', 'dev');
    const added = await onReadOnlyDisk(cli, 'watch', 'dev', 'error');
    assert.deepEqual([added.status, added.stdout], [125, '']);
    assert.match(
      added.stderr,
      new RegExp(`^outlive: expected to write to the record of ${dev}; found EROFS`),
    );
    await cli.run('watch', 'dev', 'error');
    const removed = await onReadOnlyDisk(cli, 'watch', 'dev', 'error', '--remove');
    assert.deepEqual([removed.status, removed.stdout], [125, '']);
    assert.equal((await cli.snapshot('dev')).watches.length, 1);
  },
);
