import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';

const erases = 'echo one; echo two > /dev/stderr; echo three';

test('run suggests >&2 and --output pipe if the command names such a file, and only then', async () => {
  await using cli = new CommandLine();
  const hinted = await cli.run('run', '--wait', '--', erases);
  assert.match(
    hinted.stderr,
    /the command names \/dev\/stderr: .* Use >&2 instead, or: outlive run --output pipe\n/,
  );
  assert.match(
    (await cli.run('run', '--', 'sort -o /dev/stdout x')).stderr,
    /names \/dev\/stdout: .* Use >&1/,
  );
  for (const words of [
    ['--output', 'pipe', '--', erases],
    ['--', 'echo two >> /dev/stderr'],
    ['--', 'echo /dev/stdoutx >&2'],
  ])
    assert.doesNotMatch(
      (await cli.run('run', '--wait', ...words)).stderr,
      /the command names/,
      words.join(' '),
    );
});

test('run, logs, wait, show and completions report erased output; through a pipe nothing is erased', async () => {
  await using cli = new CommandLine();
  const told =
    /4 bytes of its output are erased: something opened the file anew, as "> \/dev\/stderr" does\. To keep all of it: outlive run --output pipe/;
  const met =
    /^outlive: bgb-\w+: something opened the file of the output anew, .*; what is in it now begins at byte 4\. To keep all of it: outlive run --output pipe\n$/m;
  const slowly = 'echo one; sleep 0.3; echo two > /dev/stderr; echo three';
  const ran = await cli.run('run', '--wait', '--', slowly);
  assert.deepEqual([ran.status, ran.stdout], [0, 'two\nthree\n']);
  assert.match(ran.stderr, met);
  const { stdout } = await cli.run('run', '--', slowly);
  const taskId = stdout.trim();
  assert.match((await cli.run('wait', taskId)).stdout, told);
  const logs = await cli.run('logs', taskId);
  assert.deepEqual([logs.status, logs.stdout], [0, 'two\nthree\n']);
  assert.match(logs.stderr, met);
  assert.equal(logs.stderr.split('\n').length, 2, 'it is told once');
  assert.match((await cli.run('show', taskId)).stdout, told);
  assert.match((await cli.run('show', '--facts', taskId)).stdout, /erased +4 bytes of its stdout are erased/);
  assert.equal((await cli.snapshot(taskId)).output.erasedBytes, 4);
  const pending = (await cli.run('run', '--', slowly)).stdout.trim();
  await cli.until(pending, ({ endedAt }) => endedAt !== null);
  assert.match((await cli.run('completions', '--ack')).stdout, told);

  const piped = await cli.run('run', '--wait', '--output', 'pipe', '--', erases);
  assert.deepEqual(piped, { status: 0, stdout: 'one\ntwo\nthree\n', stderr: '' });
});

test('an unknown output way is refused, and the error lists the known ones', async () => {
  await using cli = new CommandLine();
  const { status, stderr } = await cli.run('run', '--output', 'tty', '--', 'true');
  assert.equal(status, 64);
  assert.match(stderr, /file, pipe/);
});
