import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { hasFact } from '../../support/logs.ts';
import { letEndEarlier, letRetentionBeDue } from '../../support/retention.ts';
import { waitFor } from '../../support/world.ts';

/** A task of another session, that ended and was acknowledged 8 days ago. */
async function expired(cli: CommandLine): Promise<string> {
  const taskId = await cli.ended('true', '-s', 'over');
  await cli.run('wait', taskId, '-s', 'over');
  utimesSync(letEndEarlier(cli.logOf(taskId), 8 * 24 * 3_600_000), 1, 1);
  letRetentionBeDue(cli.dir);
  return taskId;
}

test('run, kill and prune remove old tasks in the whole store; the other verbs remove and shorten nothing', async () => {
  await using cli = new CommandLine();
  const long = await cli.ended('seq 100000');
  const running = await cli.spawn('sleep 1000');
  const old = await expired(cli);
  const others = [
    ['ps', '-a'],
    ['show', long],
    ['logs', old],
    ['wait', old],
    ['wait', running, '--timeout', '200ms'],
    ['wait', long],
    ['completions'],
    ['completions', '--ack'],
    ['doctor', '--mend'],
  ];
  for (const words of others) {
    await cli.run(...words);
    assert.ok(cli.taskIds().includes(old), words.join(' '));
  }
  assert.ok(hasFact(cli.logOf(long), 'delivered'));
  const removers: string[][] = [
    ['run', 'true'],
    ['run', '--wait', 'true'],
    ['kill', running, '--grace', '0s'],
  ];
  for (const words of removers) {
    const taskId = cli.taskIds().includes(old) ? old : await expired(cli);
    letRetentionBeDue(cli.dir);
    await cli.run(...words);
    await waitFor(() => !cli.taskIds().includes(taskId), `${words.join(' ')} to remove it`);
  }
  const last = await expired(cli);
  assert.equal((await cli.run('prune', '--all-sessions')).stdout, `${last}\n`);
});
