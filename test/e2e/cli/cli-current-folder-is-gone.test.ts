import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Answer, CommandLine } from '../../support/command-line.ts';

/** The program in a folder that was removed before it started. */
class Nowhere extends CommandLine {
  async inGone(...words: string[]): Promise<Answer> {
    const folder = join(this.base, 'gone');
    mkdirSync(folder);
    return await this.call(words, { before: ['sh', '-c', 'cd "$0" && rmdir "$0" && exec "$@"', folder] });
  }
}

test('in a folder that was removed the command line says so, and -C works', async () => {
  await using cli = new Nowhere();
  const here = await cli.inGone('run', '-C', '/', '--wait', 'pwd');
  assert.deepEqual(here, { status: 0, stdout: '/\n', stderr: '' });
  for (const words of [['run'], ['run', '-C', 'relative'], ['run', '--store', 'relative', '-C', '/']]) {
    const { status, stdout, stderr } = await cli.inGone(...words, 'touch ran');
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
    assert.match(
      stderr,
      /^outlive: expected the current folder to be there, .*found that it was removed\. [^\n]*\n$/,
    );
  }
  assert.equal(cli.taskIds().length, 1);
});

test('every verb that needs no folder works there', async () => {
  await using cli = new Nowhere();
  const taskId = await cli.ended('echo text');
  for (const words of [
    ['ps', '-a'],
    ['show', taskId],
    ['logs', taskId],
    ['wait', taskId],
    ['completions'],
    ['prune'],
    ['completion', 'bash'],
    ['--version'],
  ]) {
    const { status, stderr } = await cli.inGone(...words);
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /expected/);
  }
});
