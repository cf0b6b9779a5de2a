import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { quote } from '../../support/world.ts';

test('run --queue=N waits until fewer than N tasks of the session run, however those were started', async () => {
  await using cli = new CommandLine();
  const running = [await cli.spawn('sleep 1000'), await cli.spawn('sleep 1000')];
  const atOnce = await cli.run('run', '--queue=3', '--wait', 'echo at once');
  assert.deepEqual([atOnce.status, atOnce.stdout.trim()], [0, 'at once']);
  const queued = await cli.spawn('echo my turn', '--queue=1');
  assert.equal((await cli.snapshot(queued)).status, 'queued');
  const kill = async (id = ''): Promise<void> => void (await cli.run('kill', id, '--grace', '0ms'));
  await kill(running[0]);
  assert.equal((await cli.snapshot(queued)).status, 'queued');
  const waiting = cli.start(['wait', queued]);
  await kill(running[1]);
  const { status, stdout } = await waiting.answer;
  assert.equal(status, 0);
  assert.match(stdout, /: echo my turn\r?\n {2}\| my turn/);
});

test('run --after TASK takes an id, the beginning of one, or a name, and starts when that task has completed', async () => {
  await using cli = new CommandLine();
  const go = `${cli.base}/go`;
  const first = await cli.spawn(`until [ -e ${quote(go)} ]; do sleep 0.02; done`, '-n', 'build');
  const ids = await Promise.all(
    ['build', first, first.slice(0, 10)].map((name) => cli.spawn('true', '--after', name)),
  );
  for (const id of ids) {
    const { status, after } = await cli.snapshot(id);
    assert.deepEqual([status, after], ['queued', first]);
  }
  assert.match((await cli.run('show', ids[0] ?? '')).stdout, new RegExp(`^after +${first}$`, 'm'));
  writeFileSync(go, '');
  for (const id of ids) assert.equal((await cli.run('wait', id)).status, 0);
});

test('a task that comes after one that fails ends with 125, and says why', async () => {
  await using cli = new CommandLine();
  await cli.spawn('exit 3', '-n', 'build');
  const { status, stdout, stderr } = await cli.run('run', '--after', 'build', '--wait', 'echo ran');
  assert.deepEqual([status, stdout], [125, '']);
  assert.match(stderr, /^outlive: bgb-\w{12} was not run: bgb-\w{12} has not completed\. See: /);
  const json = await cli.run('run', '--after', 'build', '--wait', '--json', 'echo ran');
  const snapshot = JSON.parse(json.stdout);
  assert.deepEqual(
    [json.status, snapshot.status, snapshot.statusReason, snapshot.exitCode],
    [125, 'failed', 'dependency_failed', null],
  );
  assert.match(
    (await cli.run('wait', snapshot.taskId)).stdout,
    new RegExp(`\n  not run, since ${snapshot.after} has not completed\n`),
  );
});

test('contradictory options are refused before anything is started', async () => {
  await using cli = new CommandLine();
  const other = await cli.spawn('true', '-s', 'other', '-n', 'theirs');
  const status = async (...words: string[]): Promise<number | null> =>
    (await cli.run('run', ...words)).status;
  for (const value of ['0', '-1', 'x', '1.5'])
    assert.equal(await status(`--queue=${value}`, 'true'), 64, value);
  assert.equal(await status('--after', 'bgb-000000000000', 'true'), 120);
  assert.equal(await status('--after', 'nothing', 'true'), 120);
  for (const reference of [other, 'theirs']) {
    const refused = await cli.run('run', '--after', reference, 'true');
    assert.equal(refused.status, 120);
    const found = `found "${reference}" in session "other" alone: ${other}\\. Run this one in that session, with -s\n$`;
    assert.match(
      refused.stderr,
      new RegExp(`^outlive: expected --after with a task of session "default"; ${found}`),
    );
  }
  assert.deepEqual((await cli.run('ps', '-a')).stdout, '');
});
