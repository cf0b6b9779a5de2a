import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { OtherMachine } from '../../support/other-machine.ts';
import { Terminal } from '../../support/terminal.ts';

test('ps lists the tasks of several machines; one that does not answer has a row, and the exit status says so', async () => {
  await using one = await OtherMachine.start();
  await using two = await OtherMachine.start();
  await using here = new CommandLine();
  const first = await one.spawn('sleep 1000', '-n', 'web');
  const second = await two.spawn('sleep 1000', '-n', 'db');
  const dead = '127.0.0.1:1';
  // Both keys of the user, and the keys of both machines.
  const OUTLIVE_SSH = `${one.reach().OUTLIVE_SSH} -i ${two.base}/user -o "UserKnownHostsFile=${one.base}/known ${two.base}/known"`;
  const env = { OUTLIVE_SSH, OUTLIVE_HOST: `${one.url},ssh://${dead},${two.url}` };
  const json = await here.call(['ps', '--json'], { env });
  assert.equal(json.status, 118);
  const rows = objects(json.stdout).map(({ host, taskId, error }) => [host, taskId ?? error.code]);
  assert.deepEqual(rows, [
    [one.shown, first],
    [dead, 'HOST_UNREACHABLE'],
    [two.shown, second],
  ]);
  const table = await here.call(['ps'], { env });
  assert.equal(table.status, 118);
  const cells = table.stdout.split('\n').map((line) => line.split('\t').slice(0, 4));
  assert.deepEqual(cells.slice(0, 3), [
    [one.shown, first, 'web', 'running'],
    [dead, '-', '-', 'no answer'],
    [two.shown, second, 'db', 'running'],
  ]);
  assert.match(table.stderr, /^outlive: 127\.0\.0\.1:1: expected to reach 127\.0\.0\.1:1; found: .*refused/);
  const hosts = `--host ${one.url} --host ${two.url}`;
  await using terminal = await Terminal.open(here.base, {
    command: `${here.inShell} ${hosts} ps; echo status=$?; sleep 1000`,
    env: here.environment({ OUTLIVE_SSH }),
    columns: 130,
  });
  const screen = await terminal.shows(/status=0/);
  assert.match(screen, /^HOST +TASK +NAME +STATUS/m);
  assert.match(screen, new RegExp(`^${one.shown} +${first} +web +running`, 'm'));
  await one.run('kill', first);
  await two.run('kill', second);
});
