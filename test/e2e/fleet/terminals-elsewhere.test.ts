import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { oneObject } from '../../support/command-line.ts';
import { MadeFleet } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { lives } from '../../support/processes.ts';
import { Terminal } from '../../support/terminal.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

const shell = 'PS1="$ " exec bash --norc -i';

/** A person's terminal in which `outlive` with these words runs, and says its status. */
async function person(fleet: MadeFleet, words: string, size = {}): Promise<Terminal> {
  const command = `stty -a > before; ${fleet.inShell} ${words}; echo status=$?; stty -a | diff - before && echo same; sleep 1000`;
  const env = fleet.environment() as NodeJS.ProcessEnv;
  return await Terminal.open(fleet.base, { command: `cd ${fleet.base}; ${command}`, env, ...size });
}

test(
  'from here one can type into a terminal on another host, view it, resize it and end it',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    const task = await fleet.on('h1', shell, '--tty', '--size', '70x12', '-n', 'shell');
    const screen = async () => (await fleet.run('screen', task)).stdout;
    await waitFor(async () => (await screen()).includes('$'), 'the prompt');
    const quiet = { status: 0, stdout: '', stderr: '' };
    assert.deepEqual(await fleet.run('send', task, 'stty size; echo typed-$((40 + 2))', '--enter'), quiet);
    await waitFor(async () => /12 70\ntyped-42/.test(await screen()), 'what was typed');
    assert.deepEqual(await fleet.run('resize', task, '50x9'), quiet);
    await waitFor(
      async () => oneObject((await fleet.run('screen', '--json', task)).stdout).cols === 50,
      'it',
    );
    // Keys, a paste, and the end of the input.
    assert.deepEqual(await fleet.run('send', task, 'sleep 1000', '--enter'), quiet);
    assert.deepEqual(await fleet.run('send', task, '--press', 'ctrl-c', '--press', 'enter'), quiet);
    assert.deepEqual(await fleet.run('send', task, 'echo past$((1))ed', '--paste', '--enter'), quiet);
    await waitFor(async () => (await screen()).includes('past1ed'), 'what was pasted');
    assert.deepEqual(await fleet.run('send', task, '--eof'), quiet);
    assert.equal((await fleet.run('wait', task)).status, 0);
    assert.equal(oneObject((await fleet.run('screen', '--json', task)).stdout).ended, true);
    // What has no terminal says so.
    const plain = await fleet.on('h1', 'cat', '--stdin');
    for (const words of [
      ['screen', plain],
      ['resize', plain, '80x24'],
      ['send', plain, '--press', 'up'],
    ]) {
      const answer = await fleet.run(...words);
      assert.deepEqual([words[0], answer.status, answer.stdout], [words[0], 125, '']);
      assert.match(answer.stderr, /to have a terminal/);
    }
    assert.equal((await fleet.run('kill', plain)).status, 0);
  },
);

test(
  'a person attaches to a terminal on another host and leaves, and their own terminal is restored',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    const task = await fleet.on('h1', shell, '--tty', '--size', '60x10', '-n', 'shell');
    await using terminal = await person(fleet, `attach ${task}`, { columns: 90, rows: 20 });
    await terminal.shows(/\$/);
    await terminal.enter('stty size; echo typed-$((40 + 2))');
    assert.match(await terminal.shows(/typed-42/), /20 90/);
    const attached = async () =>
      oneObject((await fleet.run('show', '--json', task)).stdout).snapshot.attached.length;
    assert.equal(await attached(), 1);
    // More than a server takes at once, drawn to its end.
    await terminal.enter('seq 1 200000; echo all-$((1 + 1))');
    await terminal.shows(/all-2/);
    await terminal.press('C-\\');
    await terminal.type('d');
    await terminal.shows(/status=0/);
    assert.match(await terminal.shows(/same/), /it keeps running\. Attach again/);
    await waitFor(async () => (await attached()) === 0, 'nobody to be attached');
    assert.match((await fleet.run('screen', task)).stdout, /all-2/);
    assert.equal((await fleet.run('kill', task)).status, 0);
  },
);

test('attach ends with the task, with its status; a read-only viewer types nothing', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  const task = await fleet.on(
    'h1',
    'printf "\\n\\n\\n\\n\\n\\n\\n\\nready\\n"; read -r x; echo "got $x"; exit 7',
    '--tty',
  );
  await using looking = await person(fleet, `attach --read-only ${task}`, { columns: 40, rows: 20 });
  await looking.shows(/ready/);
  await looking.enter('nothing');
  assert.equal((await fleet.run('send', task, 'something', '--enter')).status, 0);
  const end = await looking.shows(/same/);
  assert.match(end, /got something/);
  assert.match(end, /status=7/);
  assert.doesNotMatch((await fleet.run('logs', task)).stdout, /nothing/);
  // It has ended: there is nothing to attach to, and the answer says so at once.
  await using late = await person(fleet, `attach ${task}`);
  assert.match(await late.shows(/status=/), /has ended/);
});

test(
  'after an agent is killed and comes back, attached viewers see the terminal again',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    const machine = await fleet.host('h1');
    const task = await fleet.on('h1', shell, '--tty');
    await using terminal = await person(fleet, `attach ${task}`);
    await terminal.shows(/\$/);
    await terminal.enter('echo before-$((1 + 1))');
    await terminal.shows(/before-2/);
    await machine.killAgent();
    await machine.restart();
    await waitFor(async () => (await fleet.run('screen', task)).status === 0, 'the host to be back');
    await terminal.enter('echo after-$((1 + 1))');
    assert.match(await terminal.shows(/after-2/), /before-2/);
    await terminal.enter('exit 3');
    await terminal.shows(/status=3/);
  },
);

test('if the host is gone, attach ends with a message, and the terminal is restored', options, async () => {
  await using fleet = await MadeFleet.make();
  const machine = await fleet.host('h1');
  const task = await fleet.on('h1', `echo $$ > '${join(fleet.base, 'pid')}'; ${shell}`, '--tty');
  await using terminal = await person(fleet, `attach ${task}`);
  await terminal.shows(/\$/);
  await machine.killAgent();
  await terminal.press('Enter');
  assert.match(await terminal.shows(/status=118/), /the host h1 to answer/);
  await terminal.shows(/same/);
  // The task is none of its agent's.
  assert.ok(lives(Number(readFileSync(join(fleet.base, 'pid'), 'utf8'))));
  await machine.restart();
  await waitFor(async () => (await fleet.run('kill', task)).status === 0, 'the host to be back');
});
