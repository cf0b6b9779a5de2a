import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { CommandLine, objects, type Snapshot } from '../../support/command-line.ts';
import { factOf, hasFact, overwrite, seemsElsewhere } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { fixture, waitFor } from '../../support/world.ts';

/** What the doctor finds of one kind. */
async function finding(cli: CommandLine, check: string, ...words: string[]): Promise<Snapshot> {
  const { status, stdout } = await cli.run('doctor', '--json', ...words);
  assert.equal(status, 0);
  return objects(stdout).find((found) => found.check === check) ?? {};
}

test('leftovers of an ended task are a warning, also before the end is settled; --mend stops them', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended(
    onWindows ? 'sleep 1000 & sleep 1001 & true' : 'setsid sleep 1000 & setsid sleep 1001 & true',
  );
  const { level, message, advice } = await finding(cli, 'leftovers');
  assert.equal(level, 'warning');
  // A shell of MSYS may wait beside what it has started.
  const number = onWindows ? '[2-4]' : '2';
  assert.match(message, new RegExp(`^1 ended task has left ${number} processes running: ${taskId}$`));
  assert.match(advice, new RegExp(`outlive kill ${taskId}$`));
  assert.ok(cli.pids().length >= 2);
  const { mended } = await finding(cli, 'leftovers', '--mend');
  assert.equal(mended, '1 task is stopped');
  assert.deepEqual(cli.commandPids(), []);
  assert.equal((await finding(cli, 'leftovers')).level, 'ok');
});

test(
  'a stop that is stuck because its author died is found, and --mend finishes it',
  notOnWindows('any signal ends a process at once'),
  async () => {
    await using cli = new CommandLine();
    const taskId = await cli.spawn(fixture('ignores-sigterm.sh'));
    const log = cli.logOf(taskId);
    await cli.until(taskId, ({ output }) => output.bytes > 0);
    const killer = cli.start(['kill', '--grace', '1h', taskId]);
    await waitFor(() => hasFact(log, 'stop'), 'the stop to be asked for');
    killer.child.kill('SIGKILL');
    await once(killer.child, 'close');
    const at = factOf(log, 'stop').at ?? 0;
    // It was given an hour.
    overwrite(log, `"at":${at}`, `"at":${at - 3_000_000}`);
    assert.equal((await finding(cli, 'stops')).level, 'ok');
    overwrite(log, `"at":${at - 3_000_000}`, `"at":${at - 3_700_000}`);
    const { level, message } = await finding(cli, 'stops');
    assert.deepEqual([level, (await cli.snapshot(taskId)).status], ['warning', 'killing']);
    assert.equal(message, `1 task has been stopping for longer than it should: ${taskId}`);
    assert.equal((await finding(cli, 'stops', '--mend')).mended, '1 task is stopped');
    assert.deepEqual([(await cli.snapshot(taskId)).status, cli.pids()], ['killed', []]);
  },
);

test('doctor reports tasks of another machine, lost tasks, and completions that nobody asked for in a week', async () => {
  await using cli = new CommandLine();
  const [away, lost, old] = await Promise.all([
    cli.spawn('sleep 1000'),
    cli.spawn('sleep 1000'),
    cli.ended('true', '-s', 'over'),
  ]);
  const { pid, shimPid } = await cli.until(lost, ({ status }) => status === 'running');
  // The shim first: it would record the end.
  for (const one of onWindows ? cli.pidsOf(lost) : [shimPid, pid]) process.kill(one, 'SIGKILL');
  await waitFor(() => cli.pidsOf(lost, pid).length === 0, 'it to be gone');
  await cli.until(away, ({ status }) => status === 'running');
  seemsElsewhere(cli.logOf(away));
  await (await cli.session('over')).close();
  const { endedAt } = factOf(cli.logOf(old), 'outcome');
  overwrite(cli.logOf(old), `"endedAt":${endedAt}`, `"endedAt":${(endedAt ?? 0) - 8 * 24 * 3_600_000}`);
  const { stdout } = await cli.run('doctor', '--json');
  const wrong = objects(stdout).filter(
    ({ level, message }) => level === 'warning' && message.includes('bgb-'),
  );
  assert.deepEqual(
    wrong.map(({ check, canMend }) => [check, canMend]),
    [
      ['elsewhere', false],
      ['lost', false],
    ],
  );
  assert.ok(wrong[0]?.message.endsWith(away) && wrong[1]?.message.endsWith(lost));
  const forgotten = objects(stdout).find(({ check }) => check === 'completions');
  assert.equal(forgotten?.message, '1 completion of 1 session unread for a week: over');
});
