import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

const unix = notOnWindows('its tasks are ended without a signal, and its shells are others');

test('kill takes a signal as kill(1) does, by number or name', unix, async () => {
  await using cli = new CommandLine();
  for (const [word, exitSignal] of [
    ['-9', 'SIGKILL'],
    ['-KILL', 'SIGKILL'],
    ['-SIGINT', 'SIGINT'],
    ['-HUP', 'SIGHUP'],
  ] as const) {
    const taskId = await cli.spawn('exec sleep 1000');
    assert.equal((await cli.run('kill', word, taskId)).status, 0);
    assert.equal((await cli.snapshot(taskId)).exitSignal, exitSignal, word);
  }
  const refused = await cli.run('kill', '-0', 'x');
  assert.equal(refused.status, 64);
  assert.match(refused.stderr, /argument '0' is invalid\. Expected the name or the number of a signal/);
});

test('OUTLIVE_HOME may begin with ~/, and a relative path or a variable is refused', unix, async () => {
  await using cli = new CommandLine();
  mkdirSync(join(cli.base, 'tilde'));
  const env = { OUTLIVE_HOME: '~/tilde' };
  const { stdout } = await cli.call(['run', '-n', 'job', '--', 'exec sleep 1000'], { env });
  const shown = (await cli.run('show', 'job', '--store', join(cli.base, 'tilde'))).stdout;
  assert.match(shown, new RegExp(`^task +${stdout.trim()}$`, 'm'));
  assert.equal((await cli.call(['kill', 'job'], { env })).status, 0);
  for (const wrong of ['tilde', '$HOME/tilde']) {
    const { status, stderr } = await cli.call(['ps'], { env: { OUTLIVE_HOME: wrong } });
    assert.equal(status, 64);
    assert.match(stderr, /expected OUTLIVE_HOME to be an absolute path, or one that begins with ~\//);
  }
});

test('a watched line stays pending when the reader of --next or --ack is gone', unix, async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo error; exec sleep 1000', '-n', 'dev');
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  await cli.run('watch', 'dev', 'error');
  for (const word of ['--next', '--ack']) {
    // Its stdout is a pipe whose other end nobody has open.
    const before = ['bash', '-c', 'exec 3> >(:); wait $!; "$@" >&3', 'bash'];
    assert.equal((await cli.call(['completions', word], { before })).status, 141, word);
  }
  const told = `${taskId} (dev) wrote at byte 0: error\n`;
  assert.equal(
    (await cli.run('completions', '--next')).stdout,
    `Printed before, and perhaps not read:\n${told}`,
  );
  assert.equal((await cli.run('completions', '--next')).stdout, '');
});

test('doctor says how large the store is', async () => {
  await using cli = new CommandLine();
  await cli.ended('seq 1 1000');
  assert.match((await cli.run('doctor')).stdout, /^ok +size: the store takes [\d.]+ MiB in \d+ files$/m);
});
