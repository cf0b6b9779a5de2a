import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OutliveError, type Task } from '../../../src/index.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World, waitFor } from '../../support/world.ts';

const unix = notOnWindows('lists of words, limits and terminals are refused there');

/** What a task has written, when it has ended. */
async function outputOf(task: Task): Promise<string> {
  await task.wait();
  return (await task.tail()).text;
}

test(
  'a list of words, a command that is too long for the record, and more words than a request has room for run again as they were',
  unix,
  async () => {
    await using world = new World();
    const session = await world.session();
    const words = ['printf', '<%s>', "it's", '', 'a  b', '$HOME', '\n', "''", 'é'];
    const many = ['printf', '%s,', ...Array.from({ length: 100 }, (_, index) => `w ${index}`)];
    const long = ['printf', '%s', 'x'.repeat(70_000), "y'y"];
    const text = `echo ${'z'.repeat(70_000)}; exit 3`;
    for (const command of [words, many, long, text]) {
      const task = await session.spawn(command);
      const output = await outputOf(task);
      const again = await task.restart();
      assert.equal(await outputOf(again), output);
      assert.deepEqual(
        [again.snapshot().exitCode, again.snapshot().command],
        [task.snapshot().exitCode, task.snapshot().command],
      );
      assert.deepEqual(again.replaced, [task.id]);
    }
  },
);

test('the options of the spawn hold for the new task', unix, async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 2 });
  const task = await session.spawn('echo "$COLUMNS"; sleep 1000', {
    name: 'dev',
    labels: { a: 'b' },
    cwd: '/',
    tty: { cols: 90, rows: 20 },
    timeoutMs: null,
    graceMs: 50,
    leftovers: 'kill',
    maxOutputBytes: null,
    keepOutputBytes: 1000,
    onLimit: 'queue',
    niceness: 7,
    memoryBytes: 512 * 1024 ** 2,
    bindTo: { pid: process.pid },
    onExit: 'true',
  });
  await waitFor(() => task.snapshot().status === 'running', 'the task to run');
  const again = await task.restart();
  const store = await world.store();
  const [before, after] = [await store.inspect(task.id), await store.inspect(again.id)];
  for (const key of ['name', 'labels', 'cwd', 'tty', 'timeoutMs', 'stdin', 'limits'] as const)
    assert.deepEqual(after.snapshot[key], before.snapshot[key], key);
  for (const key of ['shell', 'bounds', 'leftoversPolicy', 'outputWay', 'bindTo'] as const)
    assert.deepEqual(after[key], before[key], key);
  assert.equal(after.onExit?.command, 'true');
  const queueOf = (id: string): unknown =>
    /"queue":\{"maxRunning":(\d+)/.exec(readFileSync(world.logOf(id), 'utf8'))?.[1];
  assert.equal(queueOf(again.id), '2');
  await again.kill();
});

test('a restart keeps bytes that are not UTF-8, and the removal of variables', {
  skip: process.platform !== 'linux' && 'Linux alone shows variables',
}, async () => {
  await using world = new World();
  const session = await world.session();
  const command = `exec env ODD="$(printf '\\377')" sh -c 'printf %s "$ODD" | od -An -tx1; echo "home:$HOME"; exec sleep 1000'`;
  const task = await session.spawn(command, { env: { HOME: null } });
  const shows = async (one: Task): Promise<string> => {
    await waitFor(async () => (await one.tail()).text.includes('home:'), 'its output');
    return (await one.tail()).text;
  };
  const first = await shows(task);
  assert.match(first, /ff\nhome:\n$/);
  assert.equal(await shows(await task.restart()), first);
});

test('a restart that fails does not change the old task', unix, async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000', { name: 'dev' });
  const bad: readonly [object, string][] = [
    [{ env: { 'A=': 'x' } }, 'INVALID_ENV'],
    [{ env: null }, 'INVALID_ENV'],
    [{ graceMs: -1 }, 'INVALID_ARGUMENT'],
    [{ stdin: 'nonsense' }, 'INVALID_ARGUMENT'],
    [{ ack: 'yes' }, 'INVALID_ARGUMENT'],
  ];
  for (const [options, code] of bad) await assert.rejects(task.restart(options), { code });
  assert.equal(task.snapshot().endedAt, null);
  assert.deepEqual(world.taskIds(), [task.id]);
  const bound = await session.spawn('sleep 1000', { bindTo: 'session', leftovers: 'kill' });
  const gone = await session.spawn('exit 3', { env: { ONLY_HERE: '1' } });
  await gone.wait();
  await assert.rejects(gone.restart(), (error: unknown) => {
    assert.ok(error instanceof OutliveError && error.code === 'INVALID_ENV');
    assert.deepEqual(error.details.missing, ['ONLY_HERE']);
    return true;
  });
  assert.equal(bound.snapshot().endedAt, null);
});

test('the end of the old task is acknowledged when the new one has started, unless ack is false', async () => {
  await using world = new World();
  const session = await world.session();
  for (const ack of [true, false]) {
    const task = await session.spawn('sleep 1000');
    const again = await task.restart({ ack, graceMs: 50 });
    assert.equal(task.snapshot().delivered, ack);
    assert.deepEqual([task.snapshot().status, task.snapshot().statusReason], ['killed', 'replaced']);
    await again.kill();
  }
});

test('one of many simultaneous spawns with one name wins, whichever session object they use', async () => {
  await using world = new World();
  const other = await world.store();
  const sessions = [await world.session('s'), await other.session('s')];
  const spawns = Array.from({ length: 12 }, (_, index) =>
    sessions[index % 2]?.spawn('sleep 1000', { name: 'dev' }),
  );
  const answers = await Promise.allSettled(spawns);
  const won = answers.filter(({ status }) => status === 'fulfilled');
  assert.equal(won.length, 1);
  for (const answer of answers)
    if (answer.status === 'rejected') assert.equal(answer.reason.code, 'NAME_TAKEN');
  assert.equal(world.taskIds().length, 1);
});

test('the new task keeps the open watches of the old one, even if the old end was acknowledged', async () => {
  await using world = new World();
  const session = await world.session();
  const server = async (task: Task): Promise<Task> => {
    await waitFor(async () => (await task.tail()).text.includes('listening'), 'it to listen');
    return task;
  };
  const first = await server(await session.spawn('echo error; echo listening; exec sleep 1000'));
  const kept = { pattern: 'error', stream: 'stdout', from: 0, once: false, id: 'errors' };
  await first.addWatch('error', { id: 'errors', from: 3 });
  await first.addWatch('listening', { id: 'once', once: true });
  await first.addWatch('x', { id: 'removed' });
  await first.removeWatch('removed');
  for await (const match of session.matches({ wait: false })) if (match.watchId === 'once') await match.ack();
  const second = await server(await first.restart({ graceMs: 50 }));
  assert.deepEqual(second.watches(), [kept]);
  const found = async (): Promise<string[]> => {
    const all: string[] = [];
    for await (const match of session.matches({ wait: false })) {
      all.push(`${match.taskId} ${match.line}`);
      await match.ack();
    }
    return all;
  };
  // The old one wrote it before its watch began.
  assert.deepEqual(await found(), [`${second.id} error`]);
  await second.kill();
  assert.deepEqual(await found(), []);
  assert.deepEqual([first.watches(), second.watches()], [[], []], 'both have ended, and all was read');
  const third = await second.restart();
  assert.deepEqual(third.watches(), [kept]);
  await third.kill();
});
