import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from '../../../src/index.ts';
import type { ExitFact } from '../../../src/model/facts.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { listing } from '../../support/listing.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

// A list of words is a program and its arguments, which run without a shell.

const noLists = notOnWindows('a shell runs each command there, and lists are refused');

/** What a shell would make something else of. */
const awkward = [
  '$(touch run-by-a-shell)',
  '`touch run-by-a-shell`',
  '; touch run-by-a-shell',
  '',
  ' ',
  "it's",
  '"',
  '\\',
  'a\nb\n',
  '*',
  '~',
  '-n',
  '--',
  '!x',
  '#',
  '{a,b}',
  'A=b',
  '=ls',
  '한국어 é',
  '\u0001\u007f',
];

/** Prints the words that it gets, each with a NUL. */
const printsWords = ['printf', '%s\\0'];

test('each word reaches the program unchanged', noLists, async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run([...printsWords, ...awkward], { cwd: world.base });
  assert.equal(output.text, awkward.map((word) => `${word}\0`).join(''));
  assert.deepEqual([snapshot.status, snapshot.exitCode, snapshot.pipeStatus], ['completed', 0, null]);
  assert.equal(existsSync(join(world.base, 'run-by-a-shell')), false);
});

test('no shell is among the processes of the task', noLists, async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(['sleep', '100']);
  await waitFor(() => task.snapshot().status === 'running', 'a start');
  const { pid } = task.snapshot();
  await waitFor(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x00100\0', 'sleep');
  await task.kill({ graceMs: 0 });
});

test(
  'the record, the snapshot and the inspection have a command line that a shell reads as the same words',
  noLists,
  async () => {
    await using world = new World();
    const store = await world.store();
    const session = await store.session('test');
    for (const words of [[...printsWords, ...awkward], ['A=b'], ['if', 'then'], ['./=x', '=ls']]) {
      const task = await session.spawn(words);
      const { command } = await task.wait();
      const read = execFileSync('bash', ['-c', `show() { printf '%s\\0' "$@"; }; show ${command}`], {
        encoding: 'utf8',
      });
      assert.equal(read, words.map((word) => `${word}\0`).join(''), command);
      const { shell } = await store.inspect(task.id);
      assert.equal(shell, null);
    }
    const task = await session.spawn(['if', 'x']);
    assert.equal((await task.wait()).command, "'if' x");
  },
);

test('many words and long words reach the program complete', noLists, async () => {
  await using world = new World();
  const session = await world.session();
  const lists = [63, 64, 65, 127, 128, 129, 50_000].map((count) =>
    Array.from({ length: count - 2 }, (_, n) => `w${n}`),
  );
  const long = ['x'.repeat(66_000), '', 'y'.repeat(131_071), 'é\n'];
  for (const words of [...lists, long, ['', 'z'.repeat(65_536)]]) {
    const { output, snapshot } = await session.run(
      ['sh', '-c', 'printf "%s\\0" "$@" | cksum; echo $#', ...words],
      { waitMs: 60_000 },
    );
    const given = words
      .slice(1)
      .map((word) => `${word}\0`)
      .join('');
    const [sum, count] = output.text.trim().split('\n');
    assert.equal(sum, execFileSync('cksum', { input: given, encoding: 'utf8' }).trim());
    assert.deepEqual([count, snapshot.status], [`${words.length - 1}`, 'completed']);
  }
});

test(
  'a program is found in the PATH of the command, and a relative path from its folder',
  noLists,
  async () => {
    await using world = new World();
    const session = await world.session();
    const folder = join(world.base, 'programs');
    mkdirSync(folder);
    writeFileSync(join(folder, 'mine'), '#!/bin/sh\necho "mine: $1"\n');
    chmodSync(join(folder, 'mine'), 0o755);
    const found = await session.run(['mine', 'a'], { env: { PATH: `${folder}:${process.env.PATH}` } });
    assert.equal(found.output.text, 'mine: a\n');
    const there = await session.run(['./mine', 'b'], { cwd: folder });
    assert.equal(there.output.text, 'mine: b\n');
    const missing = await session.run(['mine', 'c']);
    assert.deepEqual([missing.snapshot.status, missing.snapshot.exitCode], ['failed', 127]);
    assert.match(missing.output.text, /expected to start mine; there is no such file/);
    const refused = await session.run(['/etc/passwd']);
    assert.deepEqual([refused.snapshot.status, refused.snapshot.exitCode], ['failed', 126]);
  },
);

test('limits, unbuffered output and separate output files work as with a shell', noLists, async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot, task } = await session.run(['sh', '-c', 'echo out; echo err >&2; ulimit -t'], {
    unbuffered: true,
    separate: true,
    cpuSeconds: 77,
  });
  assert.equal(output.text, 'out\n77\n');
  assert.equal((await task.read({ stream: 'stderr' })).text, 'err\n');
  assert.equal(snapshot.status, 'completed');
  // stdbuf stands in front of it, and takes it for none of its options.
  const option = await session.run(['-oL', 'x'], { unbuffered: true });
  assert.equal(option.snapshot.exitCode, 127);
});

test('an invalid list is INVALID_COMMAND, and nothing in the store changes', async () => {
  await using world = new World();
  const session = await world.session();
  const before = listing(world.dir);
  const lists: readonly unknown[] = [
    [],
    [''],
    ['', 'x'],
    ['ls', 7],
    ['ls', null],
    ['ls', undefined],
    ['ls', ['-l']],
    new Array(2),
    ['ls', 'a\0b'],
    ['ls\0'],
    ['ls', '\ud800'],
    ['x'.repeat(4096)],
    ['ls', 'x'.repeat(131_072)],
    ['ls', ...new Array(20).fill('x'.repeat(131_071))],
    ['ls', ...new Array(300_000).fill('')],
    [...(onWindows ? ['ls'] : [' ', '\0'])],
  ];
  for (const list of lists)
    for (const call of [session.spawn(list as Command), session.run(list as Command)])
      await assert.rejects(call, {
        name: 'OutliveError',
        code: 'INVALID_COMMAND',
        message: /^expected .*; found /s,
      });
  assert.deepEqual(listing(world.dir), before);
});

test('a word that is refused is not repeated in the error', async () => {
  await using world = new World();
  const session = await world.session();
  await assert.rejects(
    session.spawn(['ls', 'hunter2\0']),
    (error: Error) => !`${error.stack}`.includes('hunter2'),
  );
});

test('a list together with the option shell is refused, and nothing in the store changes', async () => {
  await using world = new World();
  const session = await world.session();
  const before = listing(world.dir);
  await assert.rejects(session.spawn(['ls'], { shell: 'sh' }), {
    code: 'INVALID_ARGUMENT',
    message: /shell/,
  });
  assert.deepEqual(listing(world.dir), before);
});

test('words whose file is gone or was replaced before they could run do not run', noLists, async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const path = (name: string): string => join(world.base, name);
  const start = async (file: string): Promise<ExitFact | undefined> => {
    shim.forget();
    assert.equal(await shim.start(shim.request('', { words: ['echo', { path: file, holds: 'words' }] })), 0);
    await waitFor(() => shim.facts().some(({ fact }) => fact === 'exit'), 'an exit');
    return shim.facts().find((fact) => fact.fact === 'exit');
  };
  writeFileSync(path('torn'), 'one\0two');
  writeFileSync(path('large'), 'x\0'.repeat(1024 ** 2 + 1));
  writeFileSync(path('many'), '\0'.repeat(1024 ** 2));
  writeFileSync(path('whole'), 'one\0two\0');
  symlinkSync(path('whole'), path('link'));
  execFileSync('mkfifo', [path('pipe')]);
  const { EINVAL, E2BIG, ENOENT, ELOOP, EISDIR } = constants.errno;
  const errors = {
    torn: EINVAL,
    large: E2BIG,
    many: EINVAL,
    link: ELOOP,
    pipe: EINVAL,
    missing: ENOENT,
    '.': EISDIR,
  };
  for (const [name, errno] of Object.entries(errors)) {
    const exit = await start(path(name));
    assert.deepEqual([exit?.ran, exit?.errno], [false, errno], name);
    assert.equal(
      shim.facts().some(({ fact }) => fact === 'started'),
      false,
    );
  }
  assert.equal((await start(path('whole')))?.code, 0);
});
