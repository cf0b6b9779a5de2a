import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, CommandLine } from '../../support/command-line.ts';
import { everything, tidied, type Untidy, untidy } from '../../support/untidy.ts';
import { quote, waitFor } from '../../support/world.ts';

/** Every verb that reads, with its words. */
function readers(found: Untidy): string[][] {
  const { done, expired, pending, running, unsettled, queued } = found;
  return [
    ['ps'],
    ['ps', '-a'],
    ['ps', '-a', '--all-sessions', '--json'],
    ['show', expired],
    ['show', unsettled],
    ['show', '--facts', done],
    ['show', '--json', 'done'],
    ['logs', running],
    ['logs', queued],
    ['logs', pending],
    ['logs', '--follow', unsettled],
    ['logs', '--lines', '1', '--plain', done],
    ['logs', '--bytes', '3', '--json', done],
    ['wait', done],
    ['wait', done, expired, '--any', '--json'],
    ['wait', done, '--for', 'pattern=done'],
    ['wait', done, '--for', 'pattern=never', '--timeout', '1s'],
    ['completions'],
    ['completions', '-s', 'left', '--json'],
    ['completions', '-s', 'nobody', '--ack'],
    ['prune', '--dry-run', '--all-sessions', '--older-than', '0s'],
    ['doctor'],
    ['doctor', '--json'],
    ['__complete', 'show', ''],
    ['__complete', 'logs', '--session', ''],
  ];
}

test('no verb that reads changes anything, whatever work is pending in the store', async () => {
  await using cli = new CommandLine();
  const found = await untidy(cli);
  const before = everything(cli.dir);
  for (const words of readers(found)) {
    const answer = await cli.run(...words, ...(takesSession(words) ? ['-s', 'test'] : []));
    assert.ok(
      [0, 1, 3, 4].includes(answer.status ?? -1),
      `${words.join(' ')}: ${answer.status} ${answer.stderr}`,
    );
    assert.deepEqual(everything(cli.dir), before, words.join(' '));
  }
  const followed = cli.start(['completions', '--follow', '--json', '-s', 'test']);
  await waitFor(() => followed.stdout.includes(found.pending), 'what is pending');
  followed.child.kill('SIGINT');
  await followed.answer;
  assert.deepEqual(everything(cli.dir), before, 'completions --follow');
  await tidied(cli, found);
});

function takesSession(words: readonly string[]): boolean {
  return !words.includes('-s') && !['doctor', '__complete'].includes(words[0] ?? '');
}

test('every verb that reads answers from a read-only copy of a store as from the store', async () => {
  await using cli = new CommandLine();
  const found = await untidy(cli);
  const copy = `${cli.base}/copy`;
  cpSync(cli.dir, copy, { recursive: true, preserveTimestamps: true, mode: 0 });
  const before = everything(copy);
  const path = quote(copy);
  const mount = `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`;
  const readOnly = ['unshare', '--mount', 'sh', '-c', `${mount} && exec "$@"`, 'sh'];
  for (const words of readers(found).filter(isTheSameInACopy)) {
    const session = takesSession(words) ? ['-s', 'test'] : [];
    const here = await cli.run(...words, ...session);
    const there = await cli.call([...words, ...session, ...storeOf(copy, words)], { before: readOnly });
    assert.deepEqual(comparable(there, copy), comparable(here, cli.dir), words.join(' '));
  }
  const { status, stdout } = await cli.call(['doctor', '--store', copy], { before: readOnly });
  assert.equal(status, 1);
  assert.match(stdout, /^problem {2}append: a file cannot be written: .*EROFS/m);
  assert.match(stdout, /^ok {7}stops: /m);
  assert.deepEqual(everything(copy), before);
  await tidied(cli, found);
});

/** The doctor says that nothing can be written there; how old a task is passes with time. */
function isTheSameInACopy([verb = '', ...rest]: readonly string[]): boolean {
  return !['doctor', '__complete'].includes(verb) && (verb !== 'ps' || rest.includes('--json'));
}

function storeOf(dir: string, [verb]: readonly string[]): string[] {
  return verb === '__complete' ? [] : ['--store', dir];
}

function comparable({ status, stdout, stderr }: Answer, dir: string): unknown[] {
  const plain = (text: string): string =>
    text
      .replaceAll(dir, 'STORE')
      .replaceAll(` --store STORE`, '')
      // What runs, does so in the original.
      .replaceAll('"statusReason":"copied"', '"statusReason":null')
      .replace(/("durationMs":|duration +)[\d.,]+\w*/g, '$1');
  return [status, plain(stdout), plain(stderr)];
}

test('no verb that reads makes a store, a folder or a session', async () => {
  await using cli = new CommandLine();
  const id = 'bgb-0123abcd0123';
  const nowhere: Untidy = { expired: id, done: id, pending: id, running: id, unsettled: id, queued: id };
  for (const words of readers(nowhere)) {
    const { status, stderr } = await cli.run(...words);
    assert.ok([0, 120].includes(status ?? -1), `${words.join(' ')}: ${status} ${stderr}`);
    assert.ok(!existsSync(cli.dir), words.join(' '));
  }
  await cli.ended('true', '-s', 'one');
  const others = [['kill', '--all'], ['kill', '--bound'], ['prune'], ['completions', '--ack'], ['wait', id]];
  for (const words of others) await cli.run(...words, '-s', 'two');
  const sessions = cli.files().filter((path) => /^\/sessions\/[^/]+$/.test(path));
  assert.equal(sessions.length, 1, sessions.join(' '));
});

test('an unsettled end is told together with the leftovers', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('echo hello; sleep 1000 & exit 5', '--leftovers', 'report');
  const logOf = (): string => cli.logOf(taskId);
  await waitFor(async () => (await cli.run('completions')).stdout.includes('left running'), 'what is left');
  const { stdout } = await cli.run('completions');
  assert.match(
    stdout,
    new RegExp(`^${taskId} failed, exit 5 .*\n {2}left running: \\d+ .*sleep 1000\n {2}\\| hello\n$`),
  );
  assert.ok(!cli.files().some((path) => path.endsWith('.tmp')), logOf());
});
