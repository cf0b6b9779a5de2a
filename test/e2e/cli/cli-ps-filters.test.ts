import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';
import { fixturePath, quote, waitFor } from '../../support/world.ts';

/** The ids that `ps -q` prints. */
async function ids(cli: CommandLine, words: readonly string[], cwd?: string): Promise<string[]> {
  const { status, stdout, stderr } = await cli.call(['ps', '-q', ...words], cwd === undefined ? {} : { cwd });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, words.join(' '));
  return stdout.split('\n').filter(Boolean);
}

test('ps lists the tasks of a status, a label, a name or a folder, the newest ones, or only their ids', async () => {
  await using cli = new CommandLine();
  const [folder, link] = [join(cli.base, 'project'), join(cli.base, 'link')];
  const below = join(folder, 'src', 'x');
  mkdirSync(below, { recursive: true });
  mkdirSync(join(cli.base, 'project-2'));
  symlinkSync(folder, link, 'junction');
  const done = await cli.ended('true', '-n', 'build', '-l', 'group=a', '-C', folder);
  const failed = await cli.ended('exit 3', '-n', 'test', '-l', 'group=b', '-l', 'ci=', '-C', below);
  const web = await cli.spawn('sleep 1000', '-n', 'web-1', '-l', 'group=a', '-C', link);
  const other = await cli.spawn('sleep 1000', '-n', 'web-2', '-C', join(cli.base, 'project-2'));
  const theirs = await cli.spawn('sleep 1000', '-s', 'other', '-n', 'web-3', '-C', folder);
  const cases: [string[], string[], string?][] = [
    [[], [web, other]],
    [['--status', 'failed'], [failed]],
    [
      ['--status', 'failed,completed', '--status', 'running'],
      [done, failed, web, other],
    ],
    [
      ['-a', '--status', 'running'],
      [web, other],
    ],
    [
      ['-a', '--label', 'group'],
      [done, failed, web],
    ],
    [
      ['-a', '-l', 'group=a'],
      [done, web],
    ],
    [['-a', '-l', 'group=b', '-l', 'ci='], [failed]],
    [['-a', '-l', 'constructor'], []],
    [
      ['-n', 'web-*', '--all-sessions'],
      [web, other, theirs],
    ],
    [['--name', 'build'], []],
    [
      ['--last', '2'],
      [web, other],
    ],
    [
      ['--last', '3'],
      [failed, web, other],
    ],
    [['--last', '1', '--name', 'web-1'], [web]],
    [['--last', '0'], []],
    [['-a', '--here'], [done, failed, web], folder],
    [['-a', '--here'], [failed], join(folder, 'src')],
    [['--here'], [web], link],
    [['--here', '--all-sessions'], [web, theirs], folder],
  ];
  const answers = await Promise.all(cases.map(([words, , cwd]) => ids(cli, words, cwd)));
  for (const [index, [words, expected]] of cases.entries())
    assert.deepEqual(answers[index], expected, words.join(' '));
  const json = await cli.run('ps', '--status', 'failed', '--json');
  assert.equal(oneObject(json.stdout).taskId, failed);
});

test('a filter that no task can match is refused', async () => {
  await using cli = new CommandLine();
  const cases: [string[], RegExp][] = [
    [['--status', 'runing'], /Expected some of: queued, starting, running/],
    [['--label', '=x'], /Expected a key/],
    [['--last', '-1'], /whole number/],
    [['-q', '--json'], /expected -q alone; found --json/],
  ];
  for (const [words, message] of cases) {
    const { status, stdout, stderr } = await cli.run('ps', ...words);
    assert.deepEqual([status, stdout], [64, ''], words.join(' '));
    assert.match(stderr, message);
  }
});

test('ps and show tell on which ports the processes of a task listen, and no ports of other processes', async () => {
  await using cli = new CommandLine();
  const stranger = createServer().listen(0, '127.0.0.1');
  try {
    const server = `node ${quote(fixturePath('listens.mjs'))}`;
    const taskId = await cli.spawn(`${server} & wait`, '-n', 'server');
    const plain = await cli.spawn('sleep 1000');
    await cli.run('wait', 'server', '--for', 'port=any');
    await waitFor(async () => {
      const rows = (await cli.run('ps')).stdout.split('\n').map((line) => line.split('\t'));
      const [ports, others] = [taskId, plain].map((id) => rows.find(([own]) => own === id)?.[8]);
      return /^\d+$/.test(ports ?? '') && others === '-';
    }, 'ps to tell the port');
    const { ports, processes } = await cli.snapshot(taskId);
    assert.equal(ports.length, 1);
    assert.ok(processes.some(({ pid }: { pid: number }) => pid === ports[0].pid));
    const shown = (await cli.run('show', 'server')).stdout;
    assert.match(shown, new RegExp(`^listens at +port ${ports[0].port} \\(`, 'm'));
    assert.deepEqual((await cli.snapshot(plain)).ports, []);
  } finally {
    stranger.close();
  }
});
