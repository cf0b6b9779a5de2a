import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { OtherMachine } from '../../support/other-machine.ts';
import { Terminal } from '../../support/terminal.ts';
import { waitFor } from '../../support/world.ts';

/** A person's terminal in which `outlive` runs for the other machine, and says its status. */
async function person(here: CommandLine, there: OtherMachine, words: string): Promise<Terminal> {
  const command = `stty -a | sed 1d > before; ${here.inShell} ${words}; echo status=$?; stty -a | sed 1d | diff - before && echo same; sleep 1000`;
  return await Terminal.open(here.base, {
    command: `cd ${here.base}; ${command}`,
    env: here.environment(there.reach()),
    columns: 90,
    rows: 20,
  });
}

test('a person attaches through ssh, types, changes the size and leaves, and the terminal is restored', async () => {
  await using there = await OtherMachine.start();
  await using here = new CommandLine();
  await there.spawn('PS1="$ " bash --norc -i', '--tty', '--size', '60x10', '-n', 'shell');
  await using terminal = await person(here, there, 'attach shell');
  await terminal.shows(/\$/);
  await terminal.enter('stty size; echo typed-$((40 + 2))');
  await terminal.shows(/20 90[\s\S]*typed-42/);
  // Keys come as they are pressed: Ctrl-C is the task's.
  await terminal.enter('cat');
  await terminal.enter('back');
  await terminal.shows(/back\nback/);
  await terminal.press('C-c');
  await terminal.enter('echo left-$?');
  await terminal.shows(/left-130/);
  await terminal.resize(80, 15);
  // The new size takes a way of its own: what is typed may come before it.
  await waitFor(async () => {
    await terminal.enter('stty size');
    return /15 80/.test(await terminal.screen());
  }, 'the new size to arrive');
  await terminal.press('C-\\');
  await terminal.type('d');
  await terminal.shows(/status=0/);
  await terminal.shows(/same/);
  assert.match(await terminal.screen(), /it keeps running\. Attach again/);
  assert.equal((await there.snapshot('shell')).status, 'running');
});

test('118: the connection breaks while somebody is attached, and the terminal is restored', async () => {
  await using there = await OtherMachine.start();
  await using here = new CommandLine();
  await there.spawn('PS1="$ " bash --norc -i', '--tty', '-n', 'shell');
  await using terminal = await person(here, there, 'attach shell');
  await waitFor(async () => (await there.snapshot('shell')).attached.length === 1, 'somebody to attach');
  there.cut();
  await terminal.shows(/status=118/);
  await terminal.shows(/same/);
  assert.match((await terminal.screen()).replaceAll('\n', ''), /the connection broke/);
  await waitFor(async () => (await there.snapshot('shell')).attached.length === 0, 'nobody to be attached');
  assert.equal((await there.snapshot('shell')).status, 'running');
});

test('top shows the tasks of the other machine, and lists on a terminal are tables', async () => {
  await using there = await OtherMachine.start();
  await using here = new CommandLine();
  await there.spawn('sleep 1000', '-n', 'far-away');
  await using terminal = await person(here, there, `ps; read -r x; ${here.inShell} top`);
  await terminal.shows(/^TASK +NAME +STATUS[\s\S]*far-away/m);
  await terminal.press('Enter');
  await waitFor(async () => (await terminal.state('alternate_on')) === '1', 'the whole screen');
  await terminal.shows(/far-away/);
  await terminal.press('q');
  await terminal.shows(/status=0/);
  await terminal.shows(/same/);
});

test('Ctrl-C on a terminal ends the wait, and says so as on one machine', async () => {
  await using there = await OtherMachine.start();
  await using here = new CommandLine();
  const taskId = await there.spawn('echo begun; sleep 1000', '-n', 'long');
  await using terminal = await person(here, there, 'run --wait -n other "echo going; sleep 1000"');
  await terminal.shows(/^going$/m);
  await terminal.press('C-c');
  await terminal.shows(/status=122/);
  assert.match(
    (await terminal.screen()).replaceAll('\n', ''),
    /in the background: you interrupted the wait, and it goes on/,
  );
  await there.run('kill', taskId, 'other');
});
