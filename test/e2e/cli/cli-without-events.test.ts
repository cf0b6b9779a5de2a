import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine, withoutEvents } from '../../support/command-line.ts';

test('wait, logs -f and completions --follow wake up without file system events', async () => {
  await using cli = new CommandLine();
  const release = join(cli.base, 'go');
  const command = `echo begun; until [ -e ${release} ]; do sleep 0.05; done; echo more; exit 3`;
  // A wait acknowledges what it has printed, so completions are looked for of another task.
  const [taskId, other] = await Promise.all([cli.spawn(command), cli.spawn(command)]);
  const start = (...words: string[]) => cli.start(words, { before: withoutEvents });
  const waiting = start('wait', taskId);
  const following = start('logs', '-f', taskId);
  const told = start('completions', '--follow');
  const ready = start('wait', '--for', 'pattern=more', taskId);
  const doctor = start('doctor', '--json');
  await Promise.all([following.says('begun'), told.waits(), waiting.waits(), ready.waits()]);
  const added = await cli.spawn('exit 4');
  await told.says(`${added} failed, exit 4`);
  writeFileSync(release, '');
  await told.says(`${other} failed, exit 3`);
  told.child.kill('SIGINT');
  const [wait, logs, pattern] = await Promise.all([waiting.answer, following.answer, ready.answer]);
  assert.equal(wait.status, 3);
  assert.match(wait.stdout, new RegExp(`^${taskId} failed, exit 3`));
  assert.deepEqual(logs, { status: 0, stdout: 'begun\nmore\n', stderr: '' });
  assert.ok(pattern.status === 0 || pattern.status === 3, pattern.stderr);
  assert.equal((await told.answer).status, 0);
  // It is so that there are none.
  assert.match(
    (await doctor.answer).stdout,
    /"check":"events","level":"warning","message":"files cannot be watched: /,
  );
});
