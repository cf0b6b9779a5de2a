import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { quote } from '../../support/world.ts';

/** A task that writes, line by line, what is put into a file; its id and how to have it write. */
async function writer(
  cli: CommandLine,
  ...options: string[]
): Promise<{ taskId: string; write(text: string): Promise<void> }> {
  const source = `${cli.base}/source-${cli.taskIds().length}`;
  writeFileSync(source, '');
  const taskId = await cli.spawn(`tail -n +1 -f ${quote(source)}`, ...options);
  let bytes = 0;
  return {
    taskId,
    write: async (text) => {
      appendFileSync(source, text);
      bytes += text.length;
      await cli.until(taskId, ({ output }) => output.bytes === bytes);
    },
  };
}

/** What `completions` prints with some options, line by line, and nothing on stderr. */
async function pending(cli: CommandLine, ...options: string[]): Promise<string[]> {
  const { status, stdout, stderr } = await cli.run('completions', ...options);
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter(Boolean);
}

test('after watch, completions tells each matching line until it is acknowledged', async () => {
  await using cli = new CommandLine();
  const { taskId, write } = await writer(cli, '-n', 'dev');
  await write('error 1\nfine\n');
  const { status, stdout, stderr } = await cli.run('watch', 'dev', '(?i)error');
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(
    stdout,
    `${taskId} is watched for: (?i)error\n  each line with it is pending for session "default", until: outlive completions --ack\n`,
  );
  await write('ERROR 2\n');
  assert.match((await cli.run('show', 'dev')).stdout, /^watched for +\(\?i\)error$/m);
  const told = [`${taskId} (dev) wrote at byte 0: error 1`, `${taskId} (dev) wrote at byte 13: ERROR 2`];
  assert.deepEqual(await pending(cli), told);
  assert.deepEqual(await pending(cli, '--ack'), told);
  assert.deepEqual(await pending(cli), []);
  await write('no\nerror 3\n');
  const [match, ...more] = objects((await cli.run('completions', '--json', '--ack')).stdout);
  assert.deepEqual([match?.taskId, match?.line, match?.text, more], [taskId, 'error 3', 'error', []]);
  // To say it again changes nothing, and so does to read.
  assert.equal((await cli.run('watch', 'dev', '(?i)error')).status, 0);
  assert.deepEqual(await pending(cli, '--ack'), []);
});

test('lines that a task wrote before its end are pending with the end, and are told before it', async () => {
  await using cli = new CommandLine();
  const go = `${cli.base}/go`;
  const taskId = await cli.spawn(`until [ -e ${quote(go)} ]; do sleep 0.02; done; echo at last`);
  await cli.run('watch', taskId, 'last');
  writeFileSync(go, '');
  await cli.until(taskId, ({ endedAt }) => endedAt !== null);
  const [line, end] = await pending(cli, '--ack');
  assert.match(`${line}\n${end}`, /^bgb-\w+ wrote at byte 3: at last\nbgb-\w+ completed, exit 0 /);
  assert.deepEqual(await pending(cli), []);
  // Nothing is left of the watch: it may be removed like any other.
  assert.equal((await cli.run('prune', taskId)).stdout, `${taskId}\n`);
});

test('--once tells only the first line; --remove ends a watch, and then none of its lines is pending', async () => {
  await using cli = new CommandLine();
  const { taskId, write } = await writer(cli, '-n', 'dev');
  const once = await cli.run('watch', 'dev', '--once', 'listening');
  assert.match(once.stdout, /the first line with it is pending/);
  await cli.run('watch', 'dev', 'warning');
  await write('listening on 1\nlistening on 2\nwarning 1\n');
  const first = `${taskId} (dev) wrote at byte 0: listening on 1`;
  assert.deepEqual((await pending(cli)).toSorted(), [first, `${taskId} (dev) wrote at byte 30: warning 1`]);
  const removed = await cli.run('watch', 'dev', '--remove', 'warning');
  assert.deepEqual([removed.status, removed.stdout], [0, `${taskId} is no longer watched for: warning\n`]);
  assert.deepEqual(await pending(cli, '--ack'), [first]);
  await write('listening on 3\nwarning 2\n');
  assert.deepEqual(await pending(cli), []);
  const again = await cli.run('watch', 'dev', '--remove', 'warning', '--json');
  assert.deepEqual(objects(again.stdout), [
    { taskId, sessionId: 'default', pattern: 'warning', once: false, watching: false },
  ]);
});

test('a restart keeps the watches, and lines of the old task stay pending', async () => {
  await using cli = new CommandLine();
  const old = await cli.spawn('echo error; exec sleep 1000', '-n', 'dev');
  await cli.until(old, ({ output }) => output.bytes > 0);
  await cli.run('watch', 'dev', 'error');
  await cli.run('watch', 'dev', 'gone');
  await cli.run('watch', 'dev', '--remove', 'gone');
  const taskId = (await cli.run('restart', 'dev')).stdout.trim();
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  assert.deepEqual(
    (await pending(cli, '--ack')).toSorted(),
    [old, taskId].map((id) => `${id} (dev) wrote at byte 0: error`).toSorted(),
  );
  assert.match((await cli.run('show', 'dev')).stdout, /^watched for +error$/m);
  // Its end is read, as of one that has crashed: that is no reason to be told no more.
  await cli.run('kill', 'dev');
  assert.deepEqual(await pending(cli, '--ack'), []);
  const third = (await cli.run('restart', 'dev')).stdout.trim();
  await cli.until(third, ({ output }) => output.bytes > 0);
  assert.deepEqual(await pending(cli), [`${third} (dev) wrote at byte 0: error`]);
});

test('completions --follow tells lines as they come, and --next each once', async () => {
  await using cli = new CommandLine();
  const { taskId, write } = await writer(cli, '-n', 'dev');
  await cli.run('watch', 'dev', 'error');
  const follow = cli.start(['completions', '--follow']);
  await write('error 1\n');
  await follow.says('wrote at byte 0: error 1\n');
  // Reading acknowledges nothing.
  const line = `${taskId} (dev) wrote at byte 0: error 1`;
  assert.deepEqual(await pending(cli, '--next'), [line]);
  assert.deepEqual(await pending(cli, '--next'), []);
  // A watch that is opened meanwhile is told as well.
  await cli.run('watch', 'dev', 'late');
  await write('late\n');
  await follow.says('wrote at byte 8: late\n');
  const taking = cli.start(['completions', '--follow', '--ack']);
  await taking.says('wrote at byte 8: late\n');
  await write('error 2\n');
  // The other one tells it as well, unless it is acknowledged before that.
  await taking.says('error 2\n');
  for (const running of [follow, taking]) assert.equal((await running.interrupted()).status, 0);
  assert.deepEqual(await pending(cli), []);
});

test('the matches of a task of another session are pending there, and contradictory options are refused', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo error; exec sleep 1000', '-n', 'dev', '-s', 'other');
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  const { stdout, stderr } = await cli.run('watch', 'dev', 'error');
  assert.match(stdout, /pending for session "other", until: outlive completions -s other --ack$/m);
  assert.match(stderr, /session "default" has no task named "dev"/);
  assert.deepEqual(await pending(cli), []);
  assert.deepEqual(await pending(cli, '-s', 'other'), [`${taskId} (dev) wrote at byte 0: error`]);
  const ended = await cli.ended('true', '-s', 'other');
  await cli.run('completions', '-s', 'other', '--ack');
  const before = cli.files();
  for (const [words, status, says] of [
    [['nosuch', 'x'], 120, /found "nosuch"/],
    [[taskId, '(?=x)'], 64, /linear time/],
    [[taskId, ''], 64, /1 to 4096 bytes/],
    [[taskId, 'x', '--once', '--remove'], 64, /expected --once or --remove; found both/],
    [[taskId], 64, /missing required argument 'pattern'/],
    [[ended, 'x'], 125, /has ended.*Search its output instead: outlive logs TASK --grep PATTERN/],
  ] as const) {
    const refused = await cli.run('watch', ...words);
    assert.deepEqual([refused.status, refused.stdout], [status, ''], refused.stderr);
    assert.match(refused.stderr, says);
  }
  assert.deepEqual(cli.files(), before);
});
