import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';
import { factOf } from '../../support/logs.ts';
import { waitFor } from '../../support/world.ts';

test('every verb says when a lost task was last seen, and none says how long it took', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1.2; echo working; sleep 1000', '-n', 'build');
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  const { pid, shimPid } = factOf(cli.logOf(taskId), 'started');
  process.kill(shimPid, 'SIGKILL');
  process.kill(-pid, 'SIGKILL');
  await waitFor(() => cli.pidsOf(taskId, pid).length === 0, 'it to be gone');
  const ps = await cli.run('ps', '-a');
  assert.match(ps.stdout, /\tbuild\tlost\t\d{4}-\d\d-\d\d [\d:]+\t1\.\ds\+\t/);
  const show = await cli.run('show', 'build');
  assert.match(show.stdout, /\nlast seen {3}\d{4}-\d\d-\d\d [\d:.]+ \(last seen writing after 1\.\ds\)\n/);
  assert.doesNotMatch(show.stdout, /\n(?:ended|duration) /);
  assert.match(show.stdout, /\ntold {8}pending for the session\n/);
  const json = oneObject((await cli.run('show', '--json', 'build')).stdout);
  assert.deepEqual([json.endedAt, json.durationMs], [null, null]);
  assert.ok(json.lastSeenAt - json.startedAt >= 1_190);
  const headline = new RegExp(
    `^${taskId} (?:had already ended: )?lost, no_exit_marker, last seen writing after 1\\.\\ds: build: sleep 1\\.2; `,
  );
  for (const words of [['completions'], ['wait', 'build'], ['kill', 'build']])
    assert.match((await cli.run(...words)).stdout, headline, words[0]);
});
