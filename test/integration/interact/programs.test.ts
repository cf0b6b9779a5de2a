import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SpawnOptions, Task } from '../../../src/index.ts';
import { untilShows, withoutProgram } from '../../support/press.ts';
import { root } from '../../support/repository.ts';
import { World, waitFor } from '../../support/world.ts';

// Real programs, driven as an agent drives them: it sends, and looks at the screen.

const tty = { cols: 80, rows: 24 };

/** A program in the folder of a world, which is its home. */
async function start(
  world: World,
  command: string | readonly string[],
  options: SpawnOptions = {},
): Promise<Task> {
  const session = await world.session();
  const env = { HOME: world.base, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', NODE_REPL_HISTORY: '', ...options.env };
  const spawned = { tty, cwd: world.base, ...options, env };
  return typeof command === 'string'
    ? await session.spawn(command, spawned)
    : await session.spawn([...command], spawned);
}

async function enter(task: Task, line: string): Promise<void> {
  await task.send(line, { press: ['enter'] });
}

test('vim edits a file', { skip: withoutProgram('vim') }, async () => {
  await using world = new World();
  const file = `${world.base}/text`;
  writeFileSync(file, 'one\ntwo\nthree\n');
  const task = await start(world, ['vim', '-u', 'NONE', '-i', 'NONE', '-n', '-N', file]);
  await untilShows(task, /^three/);
  await task.send('jdd$', {});
  await task.send('A, and four');
  await untilShows(task, 'three, and four');
  await task.send('', { press: ['escape'] });
  await enter(task, ':%s/one/1/');
  await untilShows(task, /^1$/);
  assert.equal((await task.screen()).alternate, true);
  await enter(task, ':wq');
  assert.equal((await task.wait()).exitCode, 0);
  assert.equal(readFileSync(file, 'utf8'), '1\nthree, and four\n');
  assert.equal((await task.screen()).alternate, false);
});

test('less pages, searches and quits', { skip: withoutProgram('less') }, async () => {
  await using world = new World();
  const lines = Array.from({ length: 500 }, (_, at) => `line ${at}`);
  writeFileSync(`${world.base}/text`, lines.join('\n'));
  const task = await start(world, 'less text');
  await untilShows(task, /^line 22$/);
  await task.send(' ');
  await untilShows(task, /^line 45$/);
  await enter(task, '/line 400');
  await untilShows(task, /^line 400$/);
  // less asks for other bytes than those that these keys have otherwise.
  await task.send('', { press: ['end'] });
  await untilShows(task, /^line 499$/);
  await task.send('', { press: ['home'] });
  await untilShows(task, /^line 22$/);
  await task.send('q');
  assert.equal((await task.wait()).exitCode, 0);
});

for (const program of ['top', 'htop'])
  test(`${program} draws, is resized, and quits`, { skip: withoutProgram(program) }, async () => {
    await using world = new World();
    const task = await start(world, [program, '-d', '5']);
    await untilShows(task, /PID\s+USER/);
    const { bytes } = task.snapshot().output;
    await task.resize({ cols: 132, rows: 40 });
    await waitFor(() => task.snapshot().output.bytes > bytes, 'it to draw anew');
    const { cols, rows } = await task.screen();
    assert.deepEqual([cols, rows], [132, 40]);
    await task.send('q');
    assert.equal((await task.wait()).exitCode, 0);
  });

test('the REPL of Python keeps its state, and Ctrl-C interrupts it', {
  skip: withoutProgram('python3'),
}, async () => {
  await using world = new World();
  const task = await start(world, 'python3 -q');
  await untilShows(task, /^>>>/);
  await enter(task, 'answer = 6 * 7');
  await enter(task, 'print("answer", answer)');
  await untilShows(task, /^answer 42/);
  await enter(task, 'import time; print("begun"); time.sleep(1000)');
  await untilShows(task, /^begun/);
  await task.send('', { press: ['ctrl-c'] });
  await untilShows(task, /^KeyboardInterrupt/);
  await enter(task, 'raise SystemExit(answer)');
  assert.equal((await task.wait()).exitCode, 42);
});

test('the REPL of Node completes at a tab, and recalls the previous line at an arrow', async () => {
  await using world = new World();
  const task = await start(world, [process.execPath, '-i']);
  await untilShows(task, /^>/);
  await enter(task, '"first".toUpperCase()');
  await untilShows(task, /^'FIRST'/);
  await task.send('', { press: ['up'] });
  await waitFor(async () => {
    const { lines } = await task.screen();
    return lines.filter((line) => line.startsWith('> "first".toUpperCase()')).length === 2;
  }, 'the line before');
  await task.send('.length', { press: ['enter'] });
  await untilShows(task, /^5$/);
  await task.send('Array.isArr', { press: ['tab'] });
  await untilShows(task, /Array\.isArray/);
  await task.send('([])', { press: ['enter'] });
  await untilShows(task, /^true/);
  await task.send('', { press: ['ctrl-d'] });
  assert.equal((await task.wait()).exitCode, 0);
});

test('npm init gets its answers', { skip: withoutProgram('npm') }, async () => {
  await using world = new World();
  const task = await start(world, 'npm init', { env: { npm_config_update_notifier: 'false' } });
  for (const [question, answer] of [
    ['package name:', 'answered'],
    ['version:', '2.0.0'],
  ] as const) {
    await untilShows(task, question);
    await enter(task, answer);
  }
  for (;;) {
    const { cause } = await task.waitFor({ input: true, timeoutMs: 20_000 });
    if (cause !== 'input') break;
    await task.send('', { press: ['enter'] });
  }
  assert.equal((await task.wait()).exitCode, 0);
  const { name, version } = JSON.parse(readFileSync(`${world.base}/package.json`, 'utf8'));
  assert.deepEqual([name, version], ['answered', '2.0.0']);
});

test('gdb breaks, shows a variable, and goes on', { skip: withoutProgram('gdb', 'cc') }, async () => {
  await using world = new World();
  const program =
    'int twice(int number) {\n  return number * 2;\n}\nint main(void) { return twice(21) - 42; }\n';
  writeFileSync(`${world.base}/program.c`, program);
  const task = await start(world, 'cc -g -O0 -o program program.c && exec gdb -q -nx ./program', {
    env: { DEBUGINFOD_URLS: '' },
  });
  await untilShows(task, /^\(gdb\) ?$/);
  await enter(task, 'break twice');
  await untilShows(task, /^Breakpoint 1 at/);
  await enter(task, 'run');
  await untilShows(task, /Breakpoint 1, twice \(number=21\)|ptrace|not permitted/i);
  await enter(task, 'print number * 2');
  await untilShows(task, /^\$1 = 42/);
  await enter(task, 'continue');
  await untilShows(task, /exited normally/);
  await enter(task, 'quit');
  assert.equal((await task.wait()).exitCode, 0);
});

/** A password is asked for, and typed. */
async function typesPassword(task: Task, password: string): Promise<void> {
  const { cause, input } = await task.waitFor({ input: true, timeoutMs: 20_000 });
  assert.deepEqual([cause, input], ['input', { kind: 'password', how: 'certain' }]);
  await task.send(`${password}\n`);
}

test('a password prompt of Python is recognized, and the password is on no screen', {
  skip: withoutProgram('python3'),
}, async () => {
  await using world = new World();
  const program = 'import getpass; print("it has", len(getpass.getpass("Password: ")), "characters")';
  const task = await start(world, ['python3', '-c', program]);
  await typesPassword(task, 'open-sesame');
  assert.equal((await task.wait()).exitCode, 0);
  const text = (await task.read()).text;
  assert.match(text, /Password: \r\nit has 11 characters/);
  assert.doesNotMatch(text, /sesame/);
});

const notAsRoot =
  withoutProgram('su', 'setpriv') || (process.getuid?.() !== 0 && 'it needs to be started by root');

test('the password prompt of su is recognized', { skip: notAsRoot }, async () => {
  await using world = new World();
  // Root is asked for nothing, so somebody else asks to be root.
  const task = await start(world, 'exec setpriv --reuid=65534 --regid=65534 --clear-groups su root', {
    cwd: '/',
  });
  await typesPassword(task, 'wrong');
  const { exitCode } = await task.wait();
  assert.notEqual(exitCode, 0);
  assert.match((await task.read()).text, /failure/i);
});

test('20 tops at once draw, answer keys, and quit', { skip: withoutProgram('top') }, async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 20 });
  const env = { HOME: world.base };
  const tops = await Promise.all(
    Array.from({ length: 20 }, () => session.spawn(['top', '-d', '1'], { tty, env })),
  );
  await Promise.all(tops.map((task) => untilShows(task, /PID\s+USER/)));
  // Its own help, on each of them.
  await Promise.all(tops.map((task) => task.send('h')));
  await Promise.all(tops.map((task) => untilShows(task, /Help for Interactive Commands/)));
  await Promise.all(tops.map((task) => task.send('', { press: ['escape'] })));
  await Promise.all(tops.map((task) => untilShows(task, /PID\s+USER/)));
  await Promise.all(tops.map((task) => task.send('q')));
  for (const task of tops) assert.equal((await task.wait()).exitCode, 0);
});

/** Watchers that end when their input does, as those of esbuild and Tailwind. */
const watcher = `process.stdin.on('end', () => process.exit(0)).resume();
  require('fs').watch('.', () => console.log('built anew')); console.log('watching')`;
const esbuild = join(root, 'node_modules/esbuild/bin/esbuild');
const watchers: Record<string, readonly string[]> = {
  esbuild: [esbuild, 'in.js', '--outfile=out.js', '--watch'],
  'a watcher as that of Tailwind': [process.execPath, '-e', watcher],
};

for (const [name, words] of Object.entries(watchers))
  test(`${name} lives while its input is open, and ends after that`, {
    skip: name === 'esbuild' && !existsSync(esbuild) && 'there is no esbuild',
  }, async () => {
    await using world = new World();
    writeFileSync(`${world.base}/in.js`, 'console.log(1)');
    const session = await world.session();
    const task = await session.spawn([...words], { stdin: 'open', cwd: world.base });
    await waitFor(async () => /watching/.test((await task.read()).text), 'it to watch');
    writeFileSync(`${world.base}/in.js`, 'console.log(2)');
    const anew = /built anew|build finished[\s\S]*build finished/;
    await waitFor(async () => {
      writeFileSync(`${world.base}/in.js`, `console.log(${Math.random()})`);
      return anew.test((await task.read()).text);
    }, 'it to build anew');
    assert.equal(task.snapshot().status, 'running');
    await task.send('', { eof: true });
    assert.equal((await task.wait()).exitCode, 0);
    const without = await session.spawn([...words], { cwd: world.base });
    assert.equal((await without.wait()).exitCode, 0);
  });
