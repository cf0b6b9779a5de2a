import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';
import { factOf, overwrite } from '../../support/logs.ts';

const day = 24 * 3_600_000;

/** Tasks that ended, acknowledged, each with 10 bytes of output; the first so long ago. */
async function endedTasks(
  cli: CommandLine,
  sessionId: string,
  count: number,
  agoMs = 8 * day,
): Promise<string[]> {
  const session = await cli.session(sessionId);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const task = await session.spawn('printf 1234567890');
    await task.wait();
    ids.push(task.id);
  }
  const log = cli.logOf(ids[0] ?? '');
  const { endedAt } = factOf(log, 'outcome');
  overwrite(log, `"endedAt":${endedAt}`, `"endedAt":${(endedAt ?? 0) - agoMs}`);
  await session.close();
  return ids;
}

test('prune removes tasks of the session that ended a week ago, or as long ago as it is told', async () => {
  await using cli = new CommandLine();
  const [old = '', fresh = ''] = await endedTasks(cli, 'mine', 2);
  const [other = ''] = await endedTasks(cli, 'other', 1);
  const output = (await cli.snapshot(old)).output.path;
  const dry = await cli.run('prune', '-s', 'mine', '--dry-run');
  assert.deepEqual(dry, {
    status: 0,
    stdout: `${old}\n`,
    stderr: 'outlive: 1 task would be removed, 10B of output\noutlive: kept: 1 younger than 7d\n',
  });
  assert.deepEqual(cli.taskIds().toSorted(), [old, fresh, other].toSorted());
  const pruned = await cli.run('prune', '-s', 'mine');
  assert.deepEqual(pruned, {
    status: 0,
    stdout: `${old}\n`,
    stderr: 'outlive: 1 task removed, 10B of output\noutlive: kept: 1 younger than 7d\n',
  });
  assert.ok(!existsSync(output));
  assert.deepEqual(cli.taskIds().toSorted(), [fresh, other].toSorted());
  const [none, now] = [
    await cli.run('prune', '--older-than', '1h', '-s', 'mine'),
    await cli.run('prune', '--older-than', '0s', '-s', 'mine'),
  ];
  assert.deepEqual([none.stdout, now.stdout], ['', `${fresh}\n`]);
});

test('running and pending tasks stay, however old; --all-sessions prunes every session; --json is one object', async () => {
  await using cli = new CommandLine();
  // Less than a week ago: what is older, the one who opens the session removes by itself.
  const kept = [await cli.ended('exit 1', '-s', 'a'), await cli.spawn('sleep 1000', '-s', 'b')];
  const removable = [
    ...(await endedTasks(cli, 'a', 1, day)),
    ...(await endedTasks(cli, 'b', 1, day)),
  ].toSorted();
  const keeps = { running: 1, unread: 1, watched: 0, leftovers: 0, young: 0 };
  const words = ['prune', '--older-than', '0s', '--all-sessions', '--json'];
  const dry = oneObject((await cli.run(...words, '--dry-run')).stdout);
  assert.deepEqual(
    { ...dry, taskIds: dry.taskIds.toSorted() },
    { taskIds: removable, bytes: 20, dryRun: true, kept: keeps },
  );
  assert.equal(cli.taskIds().length, 4);
  const done = oneObject((await cli.run(...words)).stdout);
  assert.deepEqual(
    { ...done, taskIds: done.taskIds.toSorted() },
    { taskIds: removable, bytes: 20, dryRun: false, kept: keeps },
  );
  assert.deepEqual(cli.taskIds().toSorted(), kept.toSorted());
});

test('prune TASK removes the named tasks, whenever they ended, and says what is kept and why', async () => {
  await using cli = new CommandLine();
  const [read = ''] = await endedTasks(cli, 'default', 1, 0);
  const unread = await cli.ended('exit 1', '-n', 'unread');
  const running = await cli.spawn('sleep 1000', '-n', 'running');
  const refused = await cli.run('rm', read, 'unread', 'running');
  assert.deepEqual([refused.status, refused.stdout], [125, `${read}\n`]);
  assert.match(
    refused.stderr,
    new RegExp(`${unread} is kept: it has ended, and its end is not acknowledged`),
  );
  assert.match(
    refused.stderr,
    new RegExp(`${running} is kept: it has not ended\\. Stop it first: outlive kill`),
  );
  const dry = await cli.run('prune', 'unread', '--unread', '--dry-run');
  assert.deepEqual([dry.status, dry.stdout], [0, `${unread}\n`]);
  assert.ok(cli.taskIds().includes(unread));
  const removed = await cli.run('prune', 'unread', '--unread');
  assert.deepEqual([removed.status, removed.stdout], [0, `${unread}\n`]);
  assert.deepEqual(cli.taskIds(), [running]);
  assert.equal((await cli.run('prune', 'nobody')).status, 120);
  assert.equal((await cli.run('prune', 'running', '--all-sessions')).status, 64);
});

test('prune --unread also removes tasks with unacknowledged ends, but no running tasks', async () => {
  await using cli = new CommandLine();
  const [one, two] = [await cli.ended('exit 1'), await cli.ended('true')];
  const running = await cli.spawn('sleep 1000');
  const { status, stdout } = await cli.run('prune', '--unread', '--older-than', '0s');
  assert.equal(status, 0);
  assert.deepEqual(stdout.trim().split('\n').toSorted(), [one, two].toSorted());
  assert.deepEqual(cli.taskIds(), [running]);
});
