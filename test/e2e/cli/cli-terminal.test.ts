import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { Terminal, type TerminalOptions } from '../../support/terminal.ts';
import { fixturePath, processes, quote, waitFor } from '../../support/world.ts';

const prompt = /^\$$/m;

/** A terminal with a shell, in which `outlive` is the installed program. */
async function terminalOf(cli: CommandLine, options: Partial<TerminalOptions> = {}): Promise<Terminal> {
  const command = `outlive() { ${cli.path} "$@"; }; PS1='$ '`;
  const terminal = await Terminal.open(cli.base, {
    command: 'exec sh -i',
    env: { ...cli.environment(), PS1: '$ ' },
    ...options,
  });
  try {
    await terminal.shows(/[$#]$/);
    await terminal.enter(`${command}; clear`);
    await terminal.shows(prompt);
    return terminal;
  } catch (error) {
    await terminal.close();
    throw error;
  }
}

test('ps is a coloured table that fits the terminal; NO_COLOR removes the colour', async () => {
  await using cli = new CommandLine();
  await cli.ended(`exit 3 # ${'long '.repeat(30)}`, '-n', 'broken');
  await cli.spawn('sleep 1000');
  await using terminal = await terminalOf(cli, { columns: 90 });
  await terminal.enter('outlive ps -a');
  const screen = await terminal.shows(/sleep 1000/);
  const lines = screen.split('\n').slice(1, 4);
  assert.match(lines[0] ?? '', /^TASK {14}NAME +STATUS +CREATED +TIME +CPU +MEMORY +COMMAND$/);
  assert.match(lines[1] ?? '', /^bgb-\w{12} {2}broken {2}failed 3 .* exit 3 # lo.*…$/);
  assert.match(lines[2] ?? '', /^bgb-\w{12} {2}- {7}running .*MB .*sleep 1000$/);
  assert.ok(
    lines.every((line) => line.length <= 90),
    screen,
  );
  const commandAt = lines[0]?.indexOf('COMMAND');
  assert.equal(lines[2]?.indexOf('sleep 1000'), commandAt);
  const coloured = await terminal.screen({ colours: true });
  assert.ok(coloured.includes('\x1b[31mfailed\x1b[39m 3'), coloured);
  assert.ok(coloured.includes('\x1b[36mrunning'), coloured);
  await terminal.enter('clear; NO_COLOR=1 outlive ps -a');
  await terminal.shows(/sleep 1000\n\$$/);
  assert.ok(!(await terminal.screen({ colours: true })).includes('\x1b[3'));
});

test('ps --watch redraws when a task comes; Ctrl-C ends it and restores the screen', async () => {
  await using cli = new CommandLine();
  await using terminal = await terminalOf(cli);
  await terminal.enter('echo before; outlive ps --watch');
  await terminal.shows(/outlive ps, .*; Ctrl-C ends it\n\nno task runs in session default/);
  assert.equal(await terminal.state('alternate_on'), '1');
  const taskId = await cli.spawn('sleep 1000', '-n', 'new');
  await terminal.shows(new RegExp(`^${taskId} +new +running .* sleep 1000$`, 'm'));
  // Its processes, its memory and its output are shown, and its age grows, though nothing else happens to it.
  await terminal.shows(new RegExp(`^${taskId} .* \\d+% +[\\d.]+[KM]B +0B +\\S+ +sleep 1000$`, 'm'));
  const ages = new RegExp(`^${taskId} +new +running +(\\S+) +(\\S+) `, 'm');
  const [, age, time] = ages.exec(await terminal.screen()) ?? [];
  await waitFor(async () => {
    const [, laterAge, laterTime] = ages.exec(await terminal.screen()) ?? [];
    return laterAge !== age && laterTime !== time;
  }, 'its age and its time to grow');
  const writer = await cli.spawn('echo 12345; sleep 0.1; printf 67; exec sleep 1001');
  await terminal.shows(new RegExp(`^${writer} .* 8B +\\S+ +echo`, 'm'));
  await cli.run('kill', '--grace', '0s', writer);
  await terminal.shows(/sleep 1000$/);
  assert.doesNotMatch(await terminal.screen(), new RegExp(writer));
  // The ports at which a server listens.
  const server = await cli.spawn(`exec node ${quote(fixturePath('listens.mjs'))}`);
  const [{ port } = { port: 0 }] = (await cli.until(server, ({ ports }) => ports.length > 0)).ports;
  await terminal.shows(new RegExp(`^${server} .* ${port} +\\S+ +exec node`, 'm'));
  await cli.run('kill', '--grace', '0s', server);
  await terminal.shows(/sleep 1000$/);
  await terminal.press('C-c');
  const after = await terminal.shows(/\$$/);
  assert.match(after, /^\$ echo before; outlive ps --watch\nbefore\n(?:\^C)?\$$/);
  assert.deepEqual([await terminal.state('alternate_on'), await terminal.state('cursor_flag')], ['0', '1']);
});

test('Ctrl-C in run --wait leaves the task running and says so; the next wait gets its end', async () => {
  await using cli = new CommandLine();
  await using terminal = await terminalOf(cli, { columns: 200 });
  await terminal.enter('outlive run --follow "echo begun; sleep 1000"; echo "status $?"');
  await terminal.shows(/^begun/m);
  await terminal.press('C-c');
  const screen = await terminal.shows(/^status 122$/m);
  const [, taskId = ''] =
    /outlive: (bgb-\w+) is in the background: you interrupted the wait, and it goes on\. Do not poll;/.exec(
      screen,
    ) ?? [];
  assert.equal((await cli.snapshot(taskId)).status, 'running');
  await cli.run('kill', taskId);
  await terminal.enter(`outlive wait ${taskId}; echo "status $?"`);
  await terminal.shows(/^status 123$/m);
});

test('output that attacks a terminal is harmless in logs, and its colours stay', async () => {
  await using cli = new CommandLine();
  const title = '\\033]0;hacked\\007';
  const clipboard = '\\033]52;c;aGFja2Vk\\007';
  const moves = '\\033[10;40Hmoved\\033[2J\\033[?1049h\\033[6n\\033c';
  const taskId = await cli.ended(`printf 'one ${title}${clipboard}${moves} \\033[32mgreen\\033[0m end\\n'`);
  await using terminal = await terminalOf(cli);
  const before = await terminal.state('pane_title');
  await terminal.enter(`outlive logs ${taskId}`);
  await terminal.shows(/^one moved green end\n\$$/m);
  const coloured = await terminal.screen({ colours: true });
  assert.ok(coloured.includes('one moved \x1b[32mgreen\x1b[39m end'), coloured);
  assert.deepEqual([await terminal.state('pane_title'), await terminal.state('alternate_on')], [before, '0']);
  assert.equal(await terminal.clipboard(), null);
  // The same as it is does harm.
  await terminal.enter(`cat ${(await cli.snapshot(taskId)).output.path}`);
  await waitFor(async () => (await terminal.state('pane_title')) === 'hacked', 'the title to be taken over');
});

test('when the terminal is closed the wait ends, and the task goes on', async () => {
  await using cli = new CommandLine();
  await using terminal = await terminalOf(cli);
  await terminal.enter('outlive run --follow "echo begun; sleep 1000"');
  await terminal.shows(/^begun/m);
  const [taskId = ''] = cli.taskIds();
  const pane = Number(await terminal.state('pane_pid'));
  await terminal.close();
  await cli.until(taskId, () => !processes().includes(pane));
  assert.equal((await cli.snapshot(taskId)).status, 'running');
});

test('doctor offers repairs, and makes those that are confirmed', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('sleep 1000 & true');
  await using terminal = await terminalOf(cli);
  await terminal.enter('outlive doctor');
  await terminal.shows(/Stop them with: outlive kill bgb-[\s\S]*Mend it now\? \[y\/N\]$/);
  await terminal.type('n');
  await terminal.press('Enter');
  await terminal.shows(/ok +lost:/);
  assert.equal(cli.pidsOf(taskId).length, 1);
  await terminal.enter('clear; outlive doctor');
  await terminal.shows(/Mend it now\? \[y\/N\]$/);
  await terminal.type('y');
  await terminal.press('Enter');
  await terminal.shows(/mended: 1 task is stopped/);
  assert.equal(cli.pidsOf(taskId).length, 0);
});

test('on a terminal run --wait shows the output as it comes, and only there it gives hints', async () => {
  await using cli = new CommandLine();
  await using terminal = await terminalOf(cli);
  await terminal.enter("outlive run --wait 'echo first; sleep 1000'");
  await terminal.shows(/^first$/m);
  await terminal.press('C-c');
  await terminal.shows(/is in the background/);
  await terminal.enter('clear; outlive run npm run dev');
  await terminal.shows(/outlive stops it after 30 minutes\. For a server: -t none/);
  await terminal.enter('clear; outlive run -t none npm run dev; outlive run -t none esbuild --watch');
  const screen = await terminal.shows(/Keep them with: --stdin/);
  assert.doesNotMatch(screen, /30 minutes/);
  const { stderr } = await cli.run('run', 'npm', 'run', 'dev', '--watch');
  assert.equal(stderr, '');
});
