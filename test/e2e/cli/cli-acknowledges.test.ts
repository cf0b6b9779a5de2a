import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';

type Row = readonly [words: string, acknowledges: boolean, isRunning: boolean];

/** `ID` is the task of the session that the command uses; each command is called with another one. */
const ofOwn: readonly Row[] = [
  ['wait ID', true, false],
  ['wait --any ID', true, false],
  ['kill ID', true, false],
  ['kill --json ID', true, true],
  ['kill --all --grace 0s', true, true],
  ['kill --bound --grace 0s', true, true],
  ['completions --ack', true, false],
  ['wait --for pattern=said ID', false, false],
  ['completions', false, false],
  ['logs ID', false, false],
  ['logs -f ID', false, false],
  ['ps --all', false, false],
  ['show ID', false, false],
  ['show --facts ID', false, false],
  ['prune --dry-run', false, false],
];

/** `ID` is the task of another session. */
const ofOthers: readonly Row[] = [
  ['wait ID', false, false],
  ['kill ID', false, false],
  ['kill --grace 0s ID', false, true],
  ['kill --all --grace 0s', false, false],
  ['completions --ack', false, false],
];

for (const [whose, rows] of [
  ['the own session', ofOwn],
  ['another session', ofOthers],
] as const) {
  test(`which commands acknowledge the end of a task of ${whose}`, async (t) => {
    await using cli = new CommandLine();
    for (const [n, [words, acknowledges, isRunning]] of rows.entries()) {
      await t.test(`${words}: ${acknowledges ? 'yes' : 'no'}`, async () => {
        const session = `${whose} ${n}`;
        const command = isRunning ? 'echo said; sleep 1000' : 'echo said';
        const options = ['-s', session, ...(isRunning ? ['--bind-to', 'session'] : [])];
        const id = await (isRunning ? cli.spawn : cli.ended).call(cli, command, ...options);
        const env = { OUTLIVE_SESSION: rows === ofOwn ? session : 'mine' };
        const { status, stderr } = await cli.call(
          words.split(' ').map((word) => (word === 'ID' ? id : word)),
          { env },
        );
        assert.equal(status, 0, stderr);
        await cli.until(id, ({ endedAt }) => endedAt !== null);
        assert.equal((await cli.snapshot(id)).delivered, acknowledges);
      });
    }
  });
}

test('with -s the session of a task counts as the own one', async () => {
  await using cli = new CommandLine();
  const id = await cli.ended('true', '-s', 'other');
  await cli.run('wait', id);
  assert.equal((await cli.snapshot(id)).delivered, false);
  await cli.run('wait', '-s', 'other', id);
  assert.equal((await cli.snapshot(id)).delivered, true);
});

test('run --wait acknowledges an end in time, and run without it does not', async () => {
  await using cli = new CommandLine();
  const waited = await cli.run('run', '--wait', '--json', '--', 'true');
  assert.equal((await cli.snapshot(JSON.parse(waited.stdout).taskId)).delivered, true);
  assert.equal((await cli.snapshot(await cli.ended('true'))).delivered, false);
});
