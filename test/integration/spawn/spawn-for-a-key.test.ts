import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import type { OutliveError } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World, waitFor } from '../../support/world.ts';

const isCode = (code: string) => (error: OutliveError) => error.code === code;

test('a second spawn for a key starts nothing and returns the first task, also when that has ended', async () => {
  await using world = new World();
  const session = await world.session();
  const ran = join(world.base, 'ran');
  const first = await session.spawn(`echo >>'${ran}'; sleep 0.2`, { key: 'build' });
  const second = await session.spawn(`echo >>'${ran}'`, { key: 'build' });
  assert.deepEqual([first.reused, second.reused, second.id], [false, true, first.id]);
  assert.equal((await second.wait()).status, 'completed');
  const { task, ended, snapshot } = await session.run(`echo >>'${ran}'`, { key: 'build' });
  assert.deepEqual([task.id, task.reused, ended, snapshot.delivered], [first.id, true, true, true]);
  assert.equal(readFileSync(ran, 'utf8').length, 1);
  assert.equal((await session.spawn('true', { key: 'test' })).reused, false, 'another key is another task');
  assert.equal((await session.spawn('true')).reused, false, 'without a key each spawn is a task');
});

test('sessions have their own keys', async () => {
  await using world = new World();
  const [one, other] = [await world.session('one'), await world.session('other')];
  const tasks = [await one.spawn('true', { key: 'k' }), await other.spawn('true', { key: 'k' })];
  assert.deepEqual(
    tasks.map(({ reused }) => reused),
    [false, false],
  );
});

test('many spawns for one key at once, from several processes, start one task', async () => {
  await using world = new World();
  const ran = join(world.base, 'ran');
  const agents = await Promise.all([1, 2, 3].map(() => Agent.start(world.dir)));
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(
      agents.map((agent) =>
        agent.run(
          async ({ session }, [key, file]) => {
            const calls = Array.from({ length: 4 }, () => session.spawn(`echo ${key} >>'${file}'`, { key }));
            return (await Promise.all(calls)).map(({ id, reused }) => ({ id, reused }));
          },
          [`key-${round}`, ran] as const,
        ),
      ),
    );
    const all = answers.flat();
    assert.equal(new Set(all.map(({ id }) => id)).size, 1);
    assert.equal(all.filter(({ reused }) => !reused).length, 1);
  }
  for (const agent of agents) await agent[Symbol.asyncDispose]();
  const session = await world.session();
  for (const { taskId } of await session.tasks()) await session.task(taskId).wait();
  assert.equal((await session.tasks()).length, 5, 'those who came second have left nothing');
  assert.equal(readFileSync(ran, 'utf8').trim().split('\n').length, 5);
});

test('a key may be any text, and no part of it gets into a path', async () => {
  await using world = new World();
  const session = await world.session();
  const keys = [
    '../../../escape',
    '/etc/passwd',
    '..',
    '.',
    'a\nb',
    ' ',
    'CON',
    '한국어'.repeat(100),
    'x'.repeat(1024),
  ];
  for (const key of keys) {
    const task = await session.spawn('true', { key });
    assert.equal((await session.spawn('true', { key })).id, task.id, JSON.stringify(key));
    await task.wait();
  }
  assert.ok(!existsSync(join(world.base, 'escape')));
  const folder = world.sessionOf(world.taskIds()[0] ?? '').keys;
  assert.ok(readdirSync(folder).every((name) => /^[0-9a-f]{64}$/.test(name)));
  assert.equal(readdirSync(folder).length, keys.length);
});

test('an invalid key is refused before anything is made', async () => {
  await using world = new World();
  const session = await world.session();
  for (const key of ['', 'a\0b', 'x'.repeat(1025), 'half \ud800', 7, null, {}])
    await assert.rejects(session.spawn('true', { key: key as string }), isCode('INVALID_ARGUMENT'));
  assert.deepEqual(world.taskIds(), []);
});

test('a spawn that is refused leaves its key free', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const other = await session.spawn('sleep 30');
  await assert.rejects(session.spawn('true', { key: 'k' }), isCode('TASK_LIMIT'));
  await other.kill({ graceMs: 0 });
  const task = await session.spawn('true', { key: 'k' });
  assert.equal(task.reused, false);
  // What is there already is given also where nothing more may run.
  await task.wait();
  const long = await session.spawn('sleep 30');
  assert.equal((await session.spawn('true', { key: 'k' })).id, task.id);
  await long.kill({ graceMs: 0 });
});

test('a killed or failed task keeps its key', async () => {
  await using world = new World();
  const session = await world.session();
  const killed = await session.spawn('sleep 30', { key: 'killed' });
  await killed.kill({ graceMs: 0 });
  const failed = await session.spawn('exit 3', { key: 'failed' });
  await failed.wait();
  assert.equal((await session.spawn('true', { key: 'killed' })).id, killed.id);
  assert.equal((await session.spawn('true', { key: 'failed' })).id, failed.id);
});

test('a key is removed with its task, and is free again', async () => {
  await using world = new World();
  const session = await world.session();
  const first = await session.spawn('true', { key: 'k' });
  await first.wait();
  const [claim = ''] = world.files().filter((path) => /\/keys\/.*\/bgb-/.test(path));
  // What a spawner that died before its claim was one has left.
  mkdirSync(join(world.dir, dirname(dirname(claim)), `${basename(claim)}.tmp`));
  await session.prune({ olderThanMs: 0 });
  assert.deepEqual(
    world.files().filter((path) => path.includes('/keys/')),
    [],
  );
  const second = await session.spawn('true', { key: 'k' });
  assert.deepEqual([second.reused, second.id === first.id], [false, false]);
  await second.wait();
  rmSync(world.logOf(second.id));
  const third = await session.spawn('true', { key: 'k' });
  assert.equal(third.reused, false, 'a log that somebody has removed keeps no key');
  await third.wait();
});

const inItsPlace =
  'files that are none of ours in the place of keys stop nothing, and the session goes with its last task';
test(inItsPlace, notOnWindows('sessions without tasks stay'), async () => {
  await using world = new World();
  const session = await world.session();
  const first = await session.spawn('true', { key: 'k' });
  await first.wait();
  const keys = world.sessionOf(first.id).keys;
  const [folder = ''] = readdirSync(keys);
  // What a spawner that died has left, and the claim of a task whose log somebody has removed.
  mkdirSync(join(keys, 'bgb-000000000000.0123456789abcdef.tmp'));
  writeFileSync(join(keys, 'bgb-000000000000.0123456789abcdef.tmp', 'bgb-000000000000.0123456789abcdef'), '');
  writeFileSync(join(keys, folder, 'note'), 'of somebody');
  assert.equal((await session.spawn('true', { key: 'k' })).id, first.id);
  rmSync(join(keys, folder, 'note'));
  await session.prune({ olderThanMs: 0 });
  await session.close();
  const store = await world.store({ maxStoreBytes: 1 });
  await store.session('other');
  await waitFor(() => !existsSync(keys), 'the empty session to go');
});
