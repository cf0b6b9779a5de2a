import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CommandLine } from '../../support/command-line.ts';
import { Terminal } from '../../support/terminal.ts';
import { quote } from '../../support/world.ts';

const execute = promisify(execFile);

/** The environment of a shell whose PATH has the program. */
function environmentOf(cli: CommandLine): NodeJS.ProcessEnv {
  const { PATH, ...rest } = cli.environment();
  return { ...rest, PATH: `${dirname(cli.path)}:${PATH}` };
}

/** Tasks of which some run, and one has no name that a shell takes as it stands. */
async function tasksOf(
  cli: CommandLine,
): Promise<{ ended: string; running: string; odd: string; other: string }> {
  const spawn = async (sessionId: string, command: string, name: string): Promise<string> => {
    const task = await (await cli.session(sessionId)).spawn(command, { name });
    if (command === 'true') await task.wait();
    return task.id;
  };
  return {
    ended: await spawn('default', 'true', 'build'),
    running: await spawn('default', 'sleep 1000', 'dev'),
    odd: await spawn('default', 'sleep 1000', '$(touch x); rm'),
    other: await spawn('other', 'sleep 1000', 'theirs'),
  };
}

type Words = readonly string[];

/** What each command line, cut at the cursor, is completed to. */
async function check(cli: CommandLine, ask: (line: Words) => Promise<string[]>): Promise<void> {
  const { ended, running, odd, other } = await tasksOf(cli);
  const verbs =
    'run restart ps show logs wait send screen attach resize kill completions prune doctor mcp setup watch top ui fleet completion help'.split(
      ' ',
    );
  const cases: [Words, Words][] = [
    [[''], verbs],
    [['co'], ['completions', 'completion']],
    [['wait', '--a'], ['--any']],
    [
      ['kill', ''],
      ['dev', running, odd],
    ],
    [
      ['show', 'b'],
      ['build', ended, running, odd],
    ],
    [
      ['logs', '-s', 'other', ''],
      ['theirs', other],
    ],
    [
      ['ps', '--session', ''],
      ['default', 'other'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['run', '--leftovers', ''],
      ['report', 'kill', 'wait'],
    ],
    [['run', '--', 'zzz'], []],
    [['run', '-n', 'x', 'outliv'], ['outlive']],
    [['kill', '--', 'd'], []],
    [['wait', 'nosuch'], []],
    [
      ['wait', '--for', ''],
      ['exit', 'idle=', 'input', 'pattern=', 'port=', 'port=any', 'screen='],
    ],
    [
      ['wait', '--for', 'p'],
      ['pattern=', 'port=', 'port=any'],
    ],
    [['ps', '--status', 'ti'], ['timed_out']],
    [['ps', '--status=ti'], ['--status=timed_out']],
    [['run', '--cwd=/'], []],
    [
      ['ps', '--name', ''],
      ['build', 'dev'],
    ],
    [['kill', '--signal', 'H'], ['HUP']],
    [
      ['wait', 'dev', running, ''],
      ['build', ended, odd],
    ],
    [['show', 'dev', ''], []],
    [['send', '--press', 'up', 'd'], ['dev']],
    [['run', '-C', join(cli.base, 'fol')], [join(cli.base, 'folder')]],
    [['mcp', '--token-file', join(cli.base, 'fil')], [join(cli.base, 'file')]],
  ];
  mkdirSync(join(cli.base, 'folder'));
  writeFileSync(join(cli.base, 'file'), '');
  const answers = await Promise.all(cases.map(async ([line]) => (await ask(line)).toSorted()));
  for (const [index, [line, expected]] of cases.entries())
    assert.deepEqual(answers[index], [...expected].toSorted(), line.join(' '));
  // Names come first, and the newest task before the others.
  assert.deepEqual(await ask(['logs', '']), ['dev', 'build', odd, running, ended]);
}

test('bash completes verbs, options, existing tasks, names and sessions, and a command after two dashes', async () => {
  await using cli = new CommandLine();
  await check(cli, async (line) => {
    const script = `outlive() { ${cli.inShell} "$@"; }; source <(outlive completion bash); complete -p outlive >&2
      COMP_WORDBREAKS=' '; COMP_WORDS=(outlive ${line.map(quote).join(' ')}); COMP_CWORD=${line.length}
      _outlive; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await execute('bash', ['-c', script], { env: environmentOf(cli), cwd: cli.base });
    // The program is a function, too.
    return [...new Set(stdout.split('\n').filter(Boolean))];
  });
});

test('at the keyboard bash completes names with colons, values after equals signs, and a command after them', async () => {
  await using cli = new CommandLine();
  const session = await cli.session('default');
  for (const name of ['web:1', 'test:unit:slow', 'test:unit:fast'])
    await session.spawn('sleep 1000', { name });
  await using terminal = await Terminal.open(cli.base, {
    command: 'exec bash --norc -i',
    env: { ...environmentOf(cli), INPUTRC: '/dev/null' },
    columns: 160,
  });
  await terminal.enter(`PS1='> '; source <(outlive completion bash); clear`);
  await terminal.shows(/^>$/m);
  const completed = async (line: string, expected: string): Promise<void> => {
    await terminal.type(line);
    await terminal.press('Tab');
    await terminal.shows(new RegExp(`^> ${expected}$`, 'm'));
    await terminal.press('C-c');
    await terminal.enter('clear');
    await terminal.shows(/^>$/m);
  };
  await completed('outlive kill we', 'outlive kill web:1');
  await completed('outlive kill web:', 'outlive kill web:1');
  await completed('outlive kill web:1 test', 'outlive kill web:1 test:unit:');
  await completed('outlive kill web:1 test:u', 'outlive kill web:1 test:unit:');
  await completed('outlive kill test:unit:s', 'outlive kill test:unit:slow');
  await completed("outlive kill 'web:", "outlive kill 'web:1'");
  await completed('outlive wait --for=sc', 'outlive wait --for=screen=');
  await completed('outlive wait web:1 --for=inp', 'outlive wait web:1 --for=input');
  await completed('outlive run --wait=10s -e A=b:c outliv', 'outlive run --wait=10s -e A=b:c outlive');
});

test('fish completes the same words as bash', async () => {
  await using cli = new CommandLine();
  const env = { ...environmentOf(cli), XDG_CONFIG_HOME: cli.base, XDG_DATA_HOME: cli.base };
  const folder = join(cli.base, 'fish', 'completions');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'outlive.fish'), (await cli.run('completion', 'fish')).stdout);
  await check(cli, async (line) => {
    const { stdout } = await execute('fish', ['-c', `complete -C ${quote(`outlive ${line.join(' ')}`)}`], {
      env,
      cwd: cli.base,
    });
    const candidates = stdout
      .split('\n')
      .filter(Boolean)
      .map((row) => row.split('\t')[0] ?? '');
    return candidates.map((word) => word.replace(/(?<=.)\/$/, ''));
  });
});

for (const [how, load] of [
  ['sourced', 'autoload -U compinit; compinit -D -u; source <(outlive completion zsh)'],
  ['from a file of fpath', 'fpath=($HOME/zsh $fpath); autoload -U compinit; compinit -D -u'],
] as const) {
  test(`zsh completes at the keyboard, ${how}`, async () => {
    await using cli = new CommandLine();
    const { running } = await tasksOf(cli);
    mkdirSync(join(cli.base, 'zsh'));
    writeFileSync(join(cli.base, 'zsh', '_outlive'), (await cli.run('completion', 'zsh')).stdout);
    await using terminal = await Terminal.open(cli.base, {
      command: 'exec zsh -f',
      env: environmentOf(cli),
      columns: 160,
    });
    await terminal.enter(`PS1='> '; ${load}; clear`);
    await terminal.shows(/^>$/m);
    const completed = async (line: string, expected: RegExp): Promise<void> => {
      await terminal.type(line);
      await terminal.press('Tab');
      await terminal.shows(expected);
      await terminal.press('C-c');
      await terminal.enter('clear');
      await terminal.shows(/^>$/m);
    };
    await completed('outlive sh', /^> outlive show$/m);
    await completed('outlive wait --an', /^> outlive wait --any$/m);
    await completed(`outlive kill ${running.slice(0, 10)}`, new RegExp(`^> outlive kill ${running}$`, 'm'));
    await completed('outlive logs -s oth', /^> outlive logs -s other$/m);
    await completed('outlive completion ', /^bash\nzsh\nfish$/m);
    await completed('outlive run -- outl', /^> outlive run -- outlive$/m);
    await completed('outlive wait --for sc', /^> outlive wait --for screen=$/m);
    await completed('outlive wait nosuch', /^> outlive wait nosuch$/m);
    await completed(`outlive run -C ${cli.base}/zs`, new RegExp(`^> outlive run -C ${cli.base}/zsh/$`, 'm'));
  });
}
