import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';

test('if a task of the session has that key, run --key starts nothing and answers with that task', async () => {
  await using cli = new CommandLine();
  const first = await cli.run('run', '--key', 'nightly ../ build', 'sleep 1000');
  assert.deepEqual([first.status, first.stderr], [0, '']);
  const id = first.stdout.trim();
  const second = await cli.run('run', '--key', 'nightly ../ build', 'exit 7');
  assert.deepEqual([second.status, second.stdout], [0, first.stdout]);
  assert.match(second.stderr, /has this key already: nothing was started/);
  const json = await cli.run('run', '--json', '--key', 'nightly ../ build', 'exit 7');
  assert.equal(oneObject(json.stdout).taskId, id);
  const other = await cli.run('run', '-s', 'other', '--key', 'nightly ../ build', '--wait', 'exit 7');
  assert.equal(other.status, 7, 'another session has keys of its own');
});

test('run --key --wait ends with the status of the first task', async () => {
  await using cli = new CommandLine();
  const ends = [];
  for (const command of ['echo first; exit 3', 'echo second'])
    ends.push(await cli.run('run', '--key', 'k', '--wait', command));
  assert.deepEqual(
    ends.map(({ status, stdout }) => [status, stdout]),
    [
      [3, 'first\n'],
      [3, 'first\n'],
    ],
  );
  const refused = await cli.run('run', '--key', '', 'true');
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /expected --key to be text of 1 to 1024 bytes/);
});
