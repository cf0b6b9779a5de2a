import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { openStore, type StoreEvent } from '../../../src/index.ts';
import { dayOf } from '../../../src/tasklog/done.ts';
import { appendFacts, factOf, hasFact } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { letEndEarlier, letRetentionBeDue } from '../../support/retention.ts';
import { World, waitFor } from '../../support/world.ts';

const dayMs = 24 * 3_600_000;

const options = notOnWindows('the Windows wrapper proves no end');

/** A task that has ended and was acknowledged in a session that is closed. */
async function doneTask(world: World, command = 'echo hello; exit 3', id = 'test'): Promise<string> {
  const session = await world.session(id);
  const { task } = await session.run(command, { name: 'build' });
  await session.close();
  return task.id;
}

function isPutAway(world: World, taskId: string): boolean {
  return dirname(dirname(world.logOf(taskId))).endsWith('/done');
}

test(
  'the log of a done task lies in the folder of the day on which it will be removed',
  options,
  async () => {
    await using world = new World();
    const week = await doneTask(world);
    const { endedAt } = factOf(world.logOf(week), 'outcome');
    assert.equal(basename(dirname(world.logOf(week))), dayOf((endedAt ?? 0) + 7 * dayMs));
    const session = await world.session('kept', { retentionMs: null });
    const { task } = await session.run('true');
    await session.close();
    assert.match(world.logOf(task.id), /\/done\/never\//);
  },
);

test('a done task can be found, read, waited for and asked for by its key as before', options, async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello; exit 3', { name: 'build', key: 'k' });
  await waitFor(() => isPutAway(world, task.id), 'it to be put away');
  for (const reference of [task.id, task.id.slice(0, 10), 'build'])
    assert.equal(session.find(reference).taskId, task.id);
  assert.equal((await task.wait()).exitCode, 3);
  assert.equal(await task.ack(), false);
  assert.equal((await task.kill()).status, 'failed');
  assert.equal(hasFact(world.logOf(task.id), 'stop'), false);
  assert.deepEqual(
    (await session.tasks()).map(({ taskId }) => taskId),
    [task.id],
  );
  assert.deepEqual(await session.pending(), []);
  const again = await session.spawn('exit 9', { key: 'k' });
  assert.deepEqual([again.id, again.reused], [task.id, true]);
  const after = await session.run('true', { after: task.id });
  assert.equal(after.snapshot.statusReason, 'dependency_failed');
  const reader = await world.store({ readOnly: true });
  assert.equal((await reader.tasks({ sessionId: 'test' })).length, 2);
  assert.deepEqual(await reader.tasks({ live: true }), []);
  assert.equal(reader.find(task.id, 'another session').sessionId, 'test');
  assert.equal((await reader.task(task.id).tail()).text, 'hello\n');
  assert.equal((await reader.inspect(task.id)).logPath, world.logOf(task.id));
});

test('a task starts after another one even if the log of that one is put away first', options, async () => {
  await using world = new World();
  const session = await world.session();
  const go = join(world.base, 'go');
  const first = await session.spawn(`until [ -e ${go} ]; do sleep 0.01; done`);
  const log = world.logOf(first.id);
  const day = join(world.sessionOf(first.id).done, dayOf(Date.now()));
  mkdirSync(day, { recursive: true });
  const spawning = session.spawn('exit 4', { after: first.id });
  renameSync(log, join(day, basename(log)));
  const second = await spawning;
  await waitFor(() => hasFact(world.logOf(second.id), 'waiting'), 'the second to wait');
  writeFileSync(go, '');
  assert.equal((await second.wait()).exitCode, 4);
});

test(
  'a task that may still be told of, stopped, searched or shortened is not put away',
  options,
  async () => {
    await using world = new World();
    const session = await world.session();
    const leaves = await session.run('setsid sleep 300 & exit 0', { shell: 'sh' });
    const watched = await session.spawn('echo error 1');
    await watched.addWatch('error', { id: 'w' });
    await watched.wait();
    const pending = await session.spawn('exit 2');
    await pending.wait({ ack: false });
    const all = [leaves.task, watched, pending];
    await session.close();
    const later = await world.session();
    for (const { id } of all) assert.equal(isPutAway(world, id), false);
    for await (const match of later.matches({ wait: false })) await match.ack();
    await later.task(pending.id).ack();
    await later.task(leaves.task.id).kill({ graceMs: 0 });
    for (const { id } of all) await waitFor(() => isPutAway(world, id), `${id} to be put away`);
  },
);

test('a done task takes no durable watch, but its output can be searched', options, async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo error 1');
  await assert.rejects(task.addWatch('error'), { code: 'TASK_ENDED', details: { taskId: task.id } });
  assert.deepEqual(task.watches(), []);
  assert.equal((await task.waitFor({ pattern: 'error' })).match?.text, 'error');
});

test('retention reads only the folders of due days, and removes all files of a task', options, async () => {
  await using world = new World();
  const [old, young, misplaced] = [await doneTask(world), await doneTask(world), await doneTask(world)];
  letEndEarlier(world.logOf(old), 8 * dayMs);
  letEndEarlier(world.logOf(young), 6 * dayMs);
  // It is old, and nobody looks where it is.
  const log = letEndEarlier(world.logOf(misplaced), 8 * dayMs);
  const later = join(dirname(dirname(log)), dayOf(Date.now() + 2 * dayMs));
  mkdirSync(later, { recursive: true });
  renameSync(log, join(later, basename(log)));
  letRetentionBeDue(world.dir);
  await (await world.session('other')).close();
  await waitFor(() => !world.taskIds().includes(old), 'the old one to go');
  assert.deepEqual(world.taskIds().sort(), [young, misplaced].sort());
  await waitFor(() => !world.files().some((path) => path.includes(old)), 'its files to go');
  const store = await world.store();
  assert.deepEqual((await store.prune({ olderThanMs: 7 * dayMs })).taskIds, [misplaced]);
  assert.deepEqual((await store.prune({ olderThanMs: 0 })).taskIds, [young]);
  assert.deepEqual(store.sessions(), []);
});

test(
  'opening a session puts away logs that a process left when it died after an acknowledgement',
  options,
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('exit 3');
    await task.wait({ ack: false });
    await session.close();
    appendFacts(world.logOf(task.id), { fact: 'delivered', id: 'x', at: Date.now() });
    assert.equal(isPutAway(world, task.id), false);
    await world.session();
    await waitFor(() => isPutAway(world, task.id), 'it to be put away');
  },
);

test('a new id is drawn if a log that was put away, or an output, already has it', options, async (t) => {
  await using world = new World();
  const taken = await doneTask(world);
  const session = await world.session();
  const { output } = (await session.tasks())[0] ?? assert.fail();
  const stray = join(dirname(output.path), 'bgb-000000010000.out');
  copyFileSync(output.path, stray);
  const drawn = [taken.slice(4), '000000010000', '000000020000'];
  const { randomBytes } = crypto;
  t.mock.method(crypto, 'randomBytes', (size: number) =>
    size === 6 && drawn.length > 0 ? Buffer.from(drawn.shift() ?? '', 'hex') : randomBytes(size),
  );
  syncBuiltinESMExports();
  try {
    assert.equal((await session.spawn('true')).id, 'bgb-000000020000');
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.ok(existsSync(stray) && isPutAway(world, taken));
  assert.equal((await session.task(taken).tail()).text, 'hello\n');
});

test(
  'a watcher of a store is not told that a log is put away, but is told of its removal',
  options,
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('exit 3');
    await task.wait({ ack: false });
    const watching = await openStore({ dir: world.dir, readOnly: true });
    const over = new AbortController();
    const told: StoreEvent[] = [];
    const reading = (async () => {
      for await (const event of watching.watch({ abortSignal: over.signal })) told.push(event);
    })();
    await waitFor(() => told.length === 1, 'the snapshot');
    await task.ack();
    await waitFor(() => isPutAway(world, task.id) && told.length > 1, 'it to be put away');
    await session.prune({ olderThanMs: 0 });
    await waitFor(() => told.some(({ type }) => type === 'gone'), 'its removal to be told');
    over.abort();
    await reading;
    await watching.close();
    const kinds = told.map((event) =>
      event.type === 'changed' ? `delivered ${event.task.delivered}` : event.type,
    );
    assert.deepEqual(kinds.slice(0, 3), ['snapshot', 'delivered true', 'gone']);
    assert.deepEqual(readdirSync(join(world.dir, 'sessions')).length, 0);
  },
);
