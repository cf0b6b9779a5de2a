import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { isLive } from '../../support/world.ts';

test('a copy of a live store says so in every verb, and kills nothing of the original', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo ready; sleep 1000', '-n', 'server');
  const { pid } = await cli.until(taskId, ({ output }) => output.bytes > 0);
  const copy = `${cli.base}/copy`;
  execFileSync('cp', ['-a', cli.dir, copy]);
  const run = async (...words: string[]) => await cli.run(...words, '--store', copy);
  assert.match((await run('ps')).stdout, /\tserver\trunning copied\t/);
  assert.match((await run('show', 'server')).stdout, /\nstatus {6}running \(copied\)\n/);
  for (const words of [['server'], ['--all']]) {
    const killed = await run('kill', ...words);
    assert.equal(killed.status, 125);
    assert.match(killed.stderr, new RegExp(`found ${taskId} in a copy of its store.*as process ${pid}`));
  }
  assert.equal((await run('completions')).stdout, '');
  const found = objects((await run('doctor', '--json')).stdout).find(({ check }) => check === 'elsewhere');
  assert.deepEqual(
    [found?.level, found?.message],
    ['warning', `1 task ran when this store was copied, and belongs to the original: ${taskId}`],
  );
  assert.ok(isLive(pid));
  assert.match((await cli.run('kill', 'server')).stdout, /killed/);
});
