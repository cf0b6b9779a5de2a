import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';
import { Terminal } from '../../support/terminal.ts';
import { waitFor } from '../../support/world.ts';

/** A person's terminal in which `outlive` with these words runs, and says its status. */
async function person(cli: CommandLine, words: string, size = {}): Promise<Terminal> {
  const command = `stty -a > before; ${cli.inShell} ${words}; echo status=$?; stty -a | diff - before && echo same; sleep 1000`;
  const env = cli.environment() as NodeJS.ProcessEnv;
  return await Terminal.open(cli.base, { command: `cd ${cli.base}; ${command}`, env, ...size });
}

test('a person attaches, types, sets the size and leaves, and the terminal is restored', async () => {
  await using cli = new CommandLine();
  await cli.spawn('PS1="$ " bash --norc -i', '--tty', '--size', '60x10', '-n', 'shell');
  await using terminal = await person(cli, 'attach shell', { columns: 90, rows: 20 });
  await terminal.shows(/\$/);
  await terminal.enter('stty size; echo typed-$((40 + 2))');
  await terminal.shows(/typed-42/);
  assert.match(await terminal.screen(), /20 90/);
  assert.deepEqual((await cli.snapshot('shell')).attached.length, 1);
  await terminal.press('C-\\');
  await terminal.type('d');
  await terminal.shows(/status=0/);
  await terminal.shows(/same/);
  assert.match(await terminal.screen(), /it keeps running\. Attach again/);
  await waitFor(async () => (await cli.snapshot('shell')).attached.length === 0, 'nobody to be attached');
  assert.equal((await cli.snapshot('shell')).status, 'running');
  // The screen is as he left it.
  assert.match((await cli.run('screen', 'shell')).stdout, /typed-42/);
  await cli.run('kill', 'shell');
});

test('a terminal without a valid size gives a task the default size', async () => {
  await using cli = new CommandLine();
  for (const size of ['rows 0 cols 0', 'rows 10 cols 1', 'rows 10 cols 2000']) {
    const words = `stty ${size}; ${cli.inShell} run --tty --wait "echo is \\$(stty size)"; stty rows 24 cols 80`;
    const env = cli.environment() as NodeJS.ProcessEnv;
    await using terminal = await Terminal.open(cli.base, { command: `${words}; sleep 1000`, env });
    await terminal.shows(/is 24 80/);
  }
});

test('attach ends with the status of the task, and the terminal is restored', async () => {
  await using cli = new CommandLine();
  await cli.spawn('read -r x; exit 7', '--tty', '-n', 'seven');
  await using terminal = await person(cli, 'attach seven');
  await waitFor(async () => (await cli.snapshot('seven')).attached.length === 1, 'somebody to attach');
  await terminal.press('Enter');
  await terminal.shows(/status=7/);
  await terminal.shows(/same/);
});

/** A person at a shell with job control, who is attached to a task; and the pid of the viewer. */
async function attachedPerson(cli: CommandLine, name: string): Promise<{ terminal: Terminal; pid: number }> {
  const env = { ...cli.environment(), PS1: '$ ' } as NodeJS.ProcessEnv;
  const command = `cd ${cli.base}; stty -a > before; exec bash --norc -i`;
  const terminal = await Terminal.open(cli.base, { command, env });
  await terminal.shows(/[#$]/);
  await terminal.enter(`${cli.inShell} attach ${name}; echo status=$?`);
  await waitFor(async () => (await cli.snapshot(name)).attached.length === 1, 'somebody to attach');
  const [pid] = (await cli.snapshot(name)).attached;
  return { terminal, pid };
}

for (const name of ['SIGSTOP', 'SIGTSTP'] as const) {
  test(`a viewer that was stopped by ${name} is attached again when it is continued`, async () => {
    await using cli = new CommandLine();
    const keys = 'while key=$(dd bs=1 count=1 2>/dev/null); do printf "got-$key "; done';
    await cli.spawn(`stty raw -echo; printf '\\033[?1049hFULL '; ${keys}`, '--tty', '-n', 'full');
    const { terminal, pid } = await attachedPerson(cli, 'full');
    await using _ = terminal;
    await terminal.shows(/FULL/);
    process.kill(pid, name);
    await terminal.shows(/Stopped/);
    if (name === 'SIGTSTP') {
      // It has given the terminal back.
      assert.equal(await terminal.state('alternate_on'), '0');
      await terminal.enter('clear; stty -a | diff - before && echo "same then"');
      await terminal.shows(/same then/);
      assert.deepEqual((await cli.snapshot('full')).attached, []);
    }
    await terminal.enter('fg');
    await terminal.shows(/^FULL/);
    // Each key comes by itself, and nothing echoes it.
    await terminal.type('x');
    await terminal.shows(/^FULL got-x$/);
    await terminal.press('C-\\');
    await terminal.type('d');
    await terminal.shows(/detached from bgb-/);
    await terminal.enter('clear; stty -a | diff - before && echo "same now"');
    await terminal.shows(/same now/);
    await cli.run('kill', 'full');
  });
}

test('a viewer whose task ends while the viewer is stopped says how the task ended', async () => {
  await using cli = new CommandLine();
  await cli.spawn('cat', '--tty', '-n', 'cat');
  const { terminal, pid } = await attachedPerson(cli, 'cat');
  await using _ = terminal;
  process.kill(pid, 'SIGTSTP');
  await terminal.shows(/Stopped/);
  await cli.run('kill', 'cat');
  await terminal.enter('fg; echo status=$?');
  await terminal.shows(/bgb-\w+ killed[\s\S]*status=123/);
});

test('a killed viewer does not change the task, and its terminal can be repaired', async () => {
  await using cli = new CommandLine();
  await cli.spawn('PS1="$ " bash --norc -i', '--tty', '-n', 'shell');
  await using terminal = await person(cli, 'attach shell');
  await waitFor(async () => (await cli.snapshot('shell')).attached.length === 1, 'somebody to attach');
  const [pid] = (await cli.snapshot('shell')).attached;
  process.kill(pid, 'SIGTERM');
  await terminal.shows(/same/);
  await waitFor(async () => (await cli.snapshot('shell')).attached.length === 0, 'nobody to be attached');
  assert.equal((await cli.snapshot('shell')).status, 'running');
  await cli.run('kill', 'shell');
});

test('a read-only viewer types nothing and does not change the size, also in a smaller terminal', async () => {
  await using cli = new CommandLine();
  await cli.spawn(
    'stty size; echo a-long-line-of-the-task-that-is-cut; cat',
    '--tty',
    '--size',
    '70x12',
    '-n',
    'cat',
  );
  await using terminal = await person(cli, 'attach --read-only cat', { columns: 20, rows: 6 });
  await terminal.shows(/a-long-line/);
  await terminal.enter('nothing');
  await cli.run('send', 'cat', 'something', '--enter');
  await terminal.shows(/something/);
  const { stdout } = await cli.run('logs', 'cat');
  assert.match(stdout, /^12 70\r\n/);
  assert.doesNotMatch(stdout, /nothing/);
  await cli.run('kill', 'cat');
  await terminal.shows(/status=/);
});

test('attach without a terminal is refused, and the error names what to use instead', async () => {
  await using cli = new CommandLine();
  await cli.spawn('cat', '--tty', '-n', 'cat');
  const { status, stderr } = await cli.run('attach', 'cat');
  assert.equal(status, 64);
  assert.match(stderr, /outlive send; to see the screen: outlive screen/);
  await cli.run('kill', 'cat');
});

test('screen prints what is on the screen, and resize sets its size', async () => {
  await using cli = new CommandLine();
  await cli.spawn(
    'printf "one\\033[2;5Htwo\\033]0;a title\\007"; cat',
    '--tty',
    '--size',
    '40x5',
    '-n',
    'cat',
  );
  await cli.run('wait', 'cat', '--for', 'screen=two');
  assert.equal((await cli.run('screen', 'cat')).stdout, 'one\n    two\n');
  await cli.run('resize', 'cat', '50x6');
  await waitFor(
    async () => oneObject((await cli.run('screen', '--json', 'cat')).stdout).cols === 50,
    'the size',
  );
  const shown = oneObject((await cli.run('screen', '--json', '--cells', 'cat')).stdout);
  assert.deepEqual(
    [shown.rows, shown.title, shown.cursor, shown.ended],
    [6, 'a title', { x: 7, y: 1, visible: true }, false],
  );
  assert.equal(shown.cells[0][0].text, 'one');
  const plain = await cli.spawn('sleep 1000');
  for (const words of [
    ['screen', plain],
    ['resize', plain, '80x24'],
  ]) {
    const { status, stderr } = await cli.run(...words);
    assert.equal(status, 125);
    assert.match(stderr, /--tty|reads nothing/);
  }
  for (const size of ['0x5', '5', '100000x5', '5x5x5']) {
    const { status, stderr } = await cli.run('resize', 'cat', size);
    assert.equal(status, 64);
    assert.match(stderr, /at least 2x1 and at most 1000x1000/);
  }
  await cli.run('kill', 'cat', plain);
});

test('a password prompt is distinguished from other prompts', async () => {
  await using cli = new CommandLine();
  await cli.spawn(
    'read -r -s -p "Password: " x; echo; read -r -p "Name: " y; echo "$y"',
    '--tty',
    '-n',
    'asks',
  );
  assert.match((await cli.run('wait', 'asks', '--for', 'input')).stdout, /waits for a password\n$/);
  await cli.run('send', 'asks', 'secret', '--enter');
  await cli.run('wait', 'asks', '--for', 'screen=Name');
  assert.match((await cli.run('wait', 'asks', '--for', 'input')).stdout, /likely waits for input\n$/);
  await cli.run('send', 'asks', 'me', '--enter');
  assert.equal((await cli.run('wait', 'asks')).status, 0);
  assert.doesNotMatch((await cli.run('logs', 'asks')).stdout, /secret/);
});
