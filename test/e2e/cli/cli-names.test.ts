import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';

test('only one running task of a session has a name: run refuses a second one at once, and names the first', async () => {
  await using cli = new CommandLine();
  const first = await cli.spawn('sleep 1000', '-n', 'dev');
  const { status, stdout, stderr } = await cli.run('run', '-n', 'dev', 'touch made');
  assert.deepEqual([status, stdout], [64, '']);
  assert.match(stderr, new RegExp(`"dev", which ${first} has\\..*--replace`));
  const [refused] = objects((await cli.run('run', '--json', '-n', 'dev', 'true')).stderr);
  assert.equal(refused?.error.code, 'NAME_TAKEN');
  assert.deepEqual(refused?.error.details, { taskId: first, name: 'dev' });
  assert.deepEqual(cli.taskIds(), [first]);
  // Another session, and whoever comes after it has ended, may have it.
  await cli.spawn('sleep 1000', '-n', 'dev', '-s', 'other');
  await cli.run('kill', 'dev');
  const second = await cli.spawn('sleep 1000', '-n', 'dev');
  assert.notEqual(second, first);
});

test('--replace stops the whole task that has the name, takes its place, and says so', async () => {
  await using cli = new CommandLine();
  const first = await cli.spawn('sleep 1000 & sleep 1001', '-n', 'dev');
  const { status, stdout, stderr } = await cli.run('run', '-n', 'dev', '--replace', 'sleep 1002');
  const second = stdout.trim();
  assert.equal(status, 0);
  assert.equal(stderr, `outlive: stopped ${first}: ${second} takes its place\n`);
  const old = await cli.snapshot(first);
  assert.deepEqual([old.status, old.statusReason, old.delivered], ['killed', 'replaced', true]);
  const now = await cli.snapshot('dev');
  assert.deepEqual([now.taskId, now.replaces, old.replaces], [second, first, null]);
  assert.match((await cli.run('show', 'dev')).stdout, new RegExp(`^replaces +${first}$`, 'm'));
  // Nothing is stopped for what is refused: a folder that is not there, a name alone.
  assert.equal((await cli.run('run', '-n', 'dev', '--replace', '-C', '/nosuch', 'true')).status, 64);
  assert.equal((await cli.run('run', '--replace', 'true')).status, 64);
  assert.equal((await cli.snapshot('dev')).status, 'running');
});

test('of several simultaneous spawns with one name, one wins', async () => {
  await using cli = new CommandLine();
  const answers = await Promise.all(
    [1, 2, 3, 4].map(async () => await cli.run('run', '-n', 'dev', 'sleep 1000')),
  );
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [0, 64, 64, 64]);
  assert.equal(cli.taskIds().length, 1);
});

test('a name means the running task with that name, else the newest ended one', async () => {
  await using cli = new CommandLine();
  const first = await cli.ended('exit 1', '-n', 'build');
  const second = await cli.ended('exit 2', '-n', 'build');
  assert.equal((await cli.snapshot('build')).taskId, second);
  assert.notEqual(first, second);
  const third = await cli.spawn('sleep 1000', '-n', 'build');
  assert.equal((await cli.snapshot('build')).taskId, third);
});

test('a name that exists only in another session is found there, and the answer says so', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo hello; sleep 1000', '-n', 'dev', '-s', 'other');
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  for (const [verb, ...more] of [['show'], ['logs'], ['wait', '--timeout', '1ms'], ['kill']] as const) {
    const { stdout, stderr } = await cli.run(verb, 'dev', ...more);
    assert.match(
      stderr,
      new RegExp(`session "default" has no task named "dev": this is ${taskId} of session "other"`),
    );
    assert.ok(verb === 'wait' || stdout !== '');
  }
  // By its id nothing needs to be said.
  assert.equal((await cli.run('show', taskId)).stderr, '');
  const own = await cli.spawn('sleep 1000', '-n', 'dev');
  assert.equal((await cli.snapshot('dev')).taskId, own);
});
