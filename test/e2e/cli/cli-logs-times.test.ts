import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { waitFor } from '../../support/world.ts';

const stamped = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;

test('--timestamps puts the time in front of each line, also in --plain and with -f', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended(
    "printf 'one\\ntwo\\n'; sleep 1.2; printf '\\033[31m 10%%\\r100%%\\033[0m\\nend'",
  );
  const [raw, plain, followed, last] = await Promise.all(
    [[], ['--plain'], ['-f'], ['-n', '1']].map(
      async (more) => await cli.run('logs', '--timestamps', ...more, taskId),
    ),
  );
  const texts = (stdout = ''): string[] => stdout.split('\n').map((line) => line.replace(stamped, ''));
  for (const { stdout } of [raw, plain, followed].map((answer) => ({ stdout: answer?.stdout ?? '' })))
    for (const line of stdout.split('\n')) assert.match(line, stamped);
  assert.deepEqual(texts(raw?.stdout), ['one', 'two', '\x1b[31m 10%\r100%\x1b[0m', 'end']);
  assert.deepEqual(texts(plain?.stdout), ['one', 'two', '100%', 'end']);
  assert.deepEqual(texts(followed?.stdout), texts(raw?.stdout));
  assert.deepEqual(texts(last?.stdout), ['end']);
  const times = (raw?.stdout ?? '').split('\n').map((line) => Date.parse(line.slice(0, 24)));
  assert.ok((times[3] ?? 0) - (times[0] ?? 0) >= 1_000, `${times}`);
  const json = objects((await cli.run('logs', '--timestamps', '--json', taskId)).stdout);
  assert.ok(json[0]?.marks.length >= 2);
});

test('--since begins with the line that contains the first byte written since', async () => {
  await using cli = new CommandLine();
  const go = `${cli.base}/go`;
  const wait = `until [ -e ${go} ]; do sleep 0.02; done`;
  const taskId = await cli.spawn(
    `echo one; sleep 1.2; printf 'two '; ${wait}; sleep 1.2; echo and a half; echo three`,
  );
  // The shim has seen the beginning of the second line.
  const path = `${(await cli.snapshot(taskId)).output.path}.marks`;
  await waitFor(() => statSync(path, { throwIfNoEntry: false })?.size === 16 + 2 * 16, 'the second mark');
  writeFileSync(go, '');
  await cli.until(taskId, ({ endedAt }) => endedAt !== null);
  const [line] = objects((await cli.run('logs', '--timestamps', '--json', taskId)).stdout);
  const [, second, third] = line?.marks ?? [];
  const since = async (at: number, ...more: string[]): Promise<string> =>
    (await cli.run('logs', '--since', new Date(at).toISOString(), ...more, taskId)).stdout;
  assert.equal(await since(second.at), 'two and a half\nthree\n');
  assert.equal(await since(third.at), 'two and a half\nthree\n');
  assert.equal(await since(third.at, '-n', '1'), 'three\n');
  assert.equal(await since(third.at + 1_000), '');
  assert.equal((await cli.run('logs', '--since', '1d', taskId)).stdout, 'one\ntwo and a half\nthree\n');
});

test('an invalid time, and a time together with an offset, are refused', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('echo one');
  for (const text of ['yesterday', '10', '2026-13-01', '2026-11-28T9:00', '']) {
    const { status, stderr } = await cli.run('logs', '--since', text, taskId);
    assert.deepEqual([status, /how long ago, such as 10m/.test(stderr)], [64, true], text);
  }
  for (const more of [
    ['--offset', '0'],
    ['--bytes', '9'],
  ]) {
    const { status, stderr } = await cli.run('logs', '--since', '10m', ...more, taskId);
    assert.deepEqual([status, /--since together with/.test(stderr)], [64, true]);
  }
});
