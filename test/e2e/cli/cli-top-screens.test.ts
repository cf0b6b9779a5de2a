import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine, withoutEvents } from '../../support/command-line.ts';
import { PaperStore } from '../../support/monitor/paper-store.ts';
import { loadingFirst } from '../../support/runtime.ts';
import { pidOfTop, topIn } from '../../support/top.ts';
import { everything } from '../../support/untidy.ts';
import { processes, waitFor } from '../../support/world.ts';

for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const) {
  test(`the terminal is restored after ${name}`, async () => {
    await using cli = new CommandLine();
    await using terminal = await topIn(cli);
    process.kill(await pidOfTop(cli, terminal), name);
    assert.match(await terminal.shows(/same/), /^what was before\nstatus=0/);
    assert.deepEqual([await terminal.state('alternate_on'), await terminal.state('cursor_flag')], ['0', '1']);
  });
}

const mistakes = {
  'a mistake in the program': "throw new Error('planted')",
  'a promise of the program that is rejected': "void Promise.reject(new Error('planted'))",
};
for (const [what, mistake] of Object.entries(mistakes)) {
  test(`the terminal is restored after ${what}, which is reported`, async () => {
    await using cli = new CommandLine();
    const file = join(cli.base, 'mistake.mjs');
    writeFileSync(file, `setTimeout(() => { ${mistake}; }, 5000);`);
    await using terminal = await topIn(cli, '', { env: loadingFirst({}, file) });
    const after = await terminal.shows(/same/);
    assert.match(after, /^what was before\n[\s\S]*error: planted[\s\S]*status=[1-9]/i);
    assert.deepEqual([await terminal.state('alternate_on'), await terminal.state('cursor_flag')], ['0', '1']);
  });
}

test('top ends when its terminal is closed', async () => {
  await using cli = new CommandLine();
  const terminal = await topIn(cli);
  const pid = await pidOfTop(cli, terminal);
  await terminal.close();
  await waitFor(() => !processes().includes(pid), 'the program to be gone');
});

test('Ctrl-Z gives the terminal back until fg; without a shell that could continue it, nothing happens', async () => {
  await using cli = new CommandLine();
  await using terminal = await topIn(cli);
  // Nobody here could continue it.
  await terminal.press('C-z');
  await cli.spawn('sleep 1000', '-n', 'later');
  await terminal.shows(/later +running/);
  await terminal.press('q');
  await terminal.shows(/same/);
  await terminal.enter(`${cli.inShell} top`);
  await terminal.shows(/^outlive top[\s\S]*later +running/);
  await terminal.press('C-z');
  await terminal.shows(/Stopped/);
  assert.deepEqual([await terminal.state('alternate_on'), await terminal.state('cursor_flag')], ['0', '1']);
  await terminal.enter('clear; stty -a | diff - before && echo "same too"');
  await terminal.shows(/same too/);
  await terminal.enter('fg');
  await terminal.shows(/^outlive top[\s\S]*later +running/);
  await terminal.press('q');
  await terminal.shows(/outlive" top\n[#$]$/);
});

test('names, commands and output that attack a terminal do nothing', async () => {
  await using cli = new CommandLine();
  const attack = '\x1b]0;hacked\x07\x1b]52;c;aGFja2Vk\x07\x1b[2J\x1b[?1049l\u202egnp.exe';
  await cli.ended(
    `printf '%s\\n' 'one ${attack} \x1b[31mred' '\x1b[5Aup' end`,
    '-n',
    `n${attack}`,
    '-l',
    'a=b',
  );
  await cli.spawn('sleep 1000', '-s', `s${attack}`);
  await using terminal = await topIn(cli);
  const title = await terminal.state('pane_title');
  await terminal.shows(/▾ s\\e\]0;hacked\\u\{7\}/);
  await terminal.press('End', 'Right', 'End');
  await terminal.shows(/^• bgb-\w+ +n\\e\]0;hacke\S* +completed/m);
  await terminal.press('Enter');
  await terminal.shows(/^one +gnp\.exe red\nup\nend$/m);
  assert.doesNotMatch(await terminal.screen(), /\u202e/);
  assert.deepEqual([await terminal.state('pane_title'), await terminal.state('alternate_on')], [title, '1']);
  assert.equal(await terminal.clipboard(), null);
});

test('an accidental paste does nothing, but goes into a line that is being typed', async () => {
  await using cli = new CommandLine();
  await cli.spawn('sleep 1000', '-n', 'kept');
  await using terminal = await topIn(cli);
  await terminal.shows(/kept +running/);
  await terminal.press('Down');
  await terminal.paste('xyq\n');
  await terminal.press('/');
  await terminal.paste('kept\nsleep');
  await terminal.shows(/^filter: kept sleep$/m);
  await terminal.press('Enter');
  await terminal.shows(/filter: kept sleep\n.*\n▾ default +1 running\n.*kept/);
});

test('top fits any size, and redraws when the size changes', async () => {
  await using cli = new CommandLine();
  for (let n = 0; n < 4; n += 1) await cli.ended(`echo ${'日本 👩‍👩‍👧 '.repeat(40)}`, '-n', `名前-${n}`);
  await cli.spawn('seq 1 2000; sleep 1000', '-n', 'running', '-s', 'other');
  await using terminal = await topIn(cli);
  // Where no task is shown yet, the key that leaves a log leaves the program.
  await terminal.shows(/^outlive top +1 running, 4 completed/);
  const sizes = [
    [20, 5],
    [300, 100],
    [21, 6],
    [80, 24],
    [1, 1],
    [40, 11],
    [20, 3],
    [100, 24],
  ] as const;
  const keys = ['Home', 'End', 'Right', 'End', 'Enter', 'g', 'PageDown', 'G', 'q', '?', 'Escape'];
  for (const [columns, rows] of sizes) {
    await terminal.resize(columns, rows);
    for (const key of keys) await terminal.press(key);
    await waitFor(async () => {
      const lines = (await terminal.screen()).split('\n');
      return lines.length <= rows && (columns < 20 || (lines.at(-1) ?? '').startsWith('? keys'));
    }, `a screen of ${columns}x${rows}`);
    assert.equal(await terminal.state('alternate_on'), '1');
  }
  await terminal.shows(/^outlive top +1 running, 4 completed/);
  await terminal.press('q');
  await terminal.shows(/status=0\nsame/);
});

test('the end of a task whose shim was killed is shown, and showing it changes nothing', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('echo one; sleep 1000', '-n', 'task');
  await cli.ended('echo two; exit 1', '-n', 'pending');
  await using terminal = await topIn(cli);
  await terminal.shows(/task +running/);
  const { shimPid, pid } = await cli.snapshot(taskId);
  process.kill(shimPid, 'SIGKILL');
  process.kill(-pid, 'SIGKILL');
  await terminal.shows(new RegExp(`${taskId} +task +lost`));
  const before = everything(cli.dir);
  await terminal.press('Home', 'Down', 'Enter');
  await terminal.shows(/^one$|^two$/m);
  await terminal.press('/');
  await terminal.type('nowhere');
  await terminal.press('Enter');
  await terminal.shows(/no match in the output/);
  await terminal.press('q', 'q');
  await terminal.shows(/same/);
  assert.deepEqual(everything(cli.dir), before);
});

test('top shows 1,000 tasks inside the terminal of a task', async () => {
  await using cli = new CommandLine();
  await cli.spawn('exec sleep 1000', '-s', 'live');
  const paper = await PaperStore.in(cli.dir);
  for (let n = 0; n < 1_000; n += 1) {
    const session = `session-${n % 50}`;
    paper.append(session, paper.spawn(session), 'outcome');
  }
  // Its terminal is that of a task of another store, and its screen is made by @xterm/headless.
  const store = ['--store', `${cli.base}/other`];
  const command = `OUTLIVE_HOME=${cli.dir} exec ${cli.inShell} top`;
  await cli.run('run', ...store, '--tty', '--size', '120x40', '-n', 'top', '-t', 'none', '--', command);
  const shows = async (wanted: RegExp): Promise<void> => {
    let screen = '';
    await waitFor(async () => {
      screen = (await cli.run('screen', ...store, 'top')).stdout;
      return wanted.test(screen);
    }, `the screen to show ${wanted}`).catch((error: Error) => {
      throw new Error(`${error.message}; it shows:\n${screen}`);
    });
  };
  await shows(/^outlive top +1 running, 1000 \w+\n/);
  await shows(/^▸ session-\d+ +20 \w+$/m);
  await cli.run('send', ...store, 'top', 'q');
  await cli.run('wait', ...store, 'top');
  assert.equal(JSON.parse((await cli.run('show', ...store, '--json', 'top')).stdout).exitCode, 0);
});

test('without file system events, starts, ends and output are still shown', async () => {
  await using cli = new CommandLine();
  await using terminal = await topIn(cli, '', { before: withoutEvents });
  const id = await cli.spawn('read x; echo "got $x"', '-n', 'asked', '--stdin');
  await terminal.shows(/asked +running/);
  await terminal.press('Down', 'Enter');
  await terminal.shows(/following/);
  await cli.run('send', id, 'something\n');
  await terminal.shows(/^got something$/m);
  await terminal.press('q');
  await terminal.shows(/asked +completed/);
});
