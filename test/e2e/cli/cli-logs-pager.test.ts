import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { Terminal } from '../../support/terminal.ts';
import { waitFor } from '../../support/world.ts';

/** A terminal of 24 rows with a shell, and the environment of the program. */
async function shellIn(cli: CommandLine, more: NodeJS.ProcessEnv = {}): Promise<Terminal> {
  const terminal = await Terminal.open(cli.base, {
    command: "PS1='> ' exec sh",
    env: { ...cli.environment(more), TERM: 'xterm-256color' },
  });
  await terminal.shows(/^> *$/m);
  return terminal;
}

test('long text on a terminal is shown in less, with its colours; leaving less is no error', async () => {
  await using cli = new CommandLine();
  await cli.ended("seq 1 200000; printf '\\033[31mred\\033[0m\\033]0;title\\007\\n'", '-n', 'long');
  await using terminal = await shellIn(cli);
  await terminal.enter(`${cli.inShell} logs long; echo left $?`);
  await terminal.shows(/^1\n2\n[\s\S]*\n23\n:$/);
  await terminal.type('G');
  const end = await terminal.shows(/200000\nred\n\(END\)$/);
  assert.doesNotMatch(end, /title|ESC/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is a colour
  assert.match(await terminal.screen({ colours: true }), /\x1b\[31mred/);
  await terminal.type('q');
  await terminal.shows(/left 0/);
  // Left at the beginning, long before all was read.
  await terminal.enter(`clear; ${cli.inShell} logs long; echo again $?`);
  await terminal.shows(/\n23\n:$/);
  await terminal.press('C-c');
  // While less handles the interrupt it drops what is typed.
  await waitFor(async () => {
    await terminal.type('q');
    return /again 0/.test(await terminal.screen());
  }, 'the pager to be left');
});

test('text that fits the terminal is written directly, as is piped and followed text, and text without a pager', async () => {
  await using cli = new CommandLine();
  const long = await cli.ended('seq 1 100', '-n', 'long');
  await cli.ended('seq 1 9', '-n', 'short');
  await using terminal = await shellIn(cli);
  const cases: [string, RegExp][] = [
    [`${cli.inShell} logs short`, /^1\n[\s\S]*9\ndone 1/],
    [`${cli.inShell} logs long -n 22 | cat`, /\n100\ndone 2/],
    [`${cli.inShell} logs -f long`, /\n100\ndone 3/],
    [`PAGER=cat ${cli.inShell} logs long`, /\n100\ndone 4/],
    [`PAGER= ${cli.inShell} logs long`, /\n100\ndone 5/],
    [`TERM=dumb ${cli.inShell} logs long`, /\n100\ndone 6/],
    [`${cli.inShell} logs long | tail -n 3`, /98\n99\n100\ndone 7/],
    // The shell of an agent.
    [`CLAUDE_CODE_SESSION_ID=x ${cli.inShell} logs ${long}`, /\n100\ndone 8/],
  ];
  for (const [index, [command, expected]] of cases.entries()) {
    await terminal.enter(`clear; ${command}; echo done ${index + 1}`);
    await terminal.shows(expected);
  }
});

test('$PAGER is a shell command; LESS is set for it as git does; a pager that cannot run hides nothing', async () => {
  await using cli = new CommandLine();
  await cli.ended('seq 1 100', '-n', 'long');
  writeFileSync(`${cli.base}/shows`, '#!/bin/sh\necho "pager $1 $LESS $LV"; tail -n 1\n', { mode: 0o700 });
  await using terminal = await shellIn(cli);
  await terminal.enter(`clear; PAGER='${cli.base}/shows 7' ${cli.inShell} logs long; echo done $?`);
  await terminal.shows(/pager 7 FRX -c\n100\ndone 0/);
  await terminal.enter(`clear; LESS=-S PAGER='${cli.base}/shows 8' ${cli.inShell} logs long; echo done $?`);
  await terminal.shows(/pager 8 -S -c\n100\ndone 0/);
  await terminal.enter(`clear; PAGER=${cli.base}/nosuch ${cli.inShell} logs long; echo done $?`);
  await terminal.shows(/\n100\noutlive: the pager "[^"]*nosuch" cannot be run[\s\S]*done 0/);
});

test('on a terminal names have colours, stderr is red, and an overwritten line shows its last state', async () => {
  await using cli = new CommandLine();
  await cli.ended("printf '10%%\\r99%%\\n\\033[2Jtext\\n'; echo bad >&2", '-n', 'bar', '--separate');
  await cli.ended('echo x', '-n', 'other');
  await using terminal = await Terminal.open(cli.base, {
    command: `${cli.inShell} logs bar other; sleep 1000`,
    env: cli.environment(),
  });
  const screen = await terminal.shows(/other \| x/);
  assert.deepEqual(screen.split('\n').toSorted(), [
    'bar   | 99%',
    'bar   | bad',
    'bar   | text',
    'other | x',
  ]);
  const colours = await terminal.screen({ colours: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is a colour
  assert.match(colours, /\x1b\[31m[^\n]*bad/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is a colour
  assert.match(colours, /\x1b\[(?:3[2-6]|9[2-6])m *bar/);
});
