import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { endPiece, retainEveryMs, takePiece } from '../../../src/engine/store/retention-due.ts';
import { defaults } from '../../../src/index.ts';
import { sessionsFolder } from '../../../src/tasklog/paths.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { letEndEarlier, letRetentionBeDue, noteRetention, retentionMark } from '../../support/retention.ts';
import { World, waitFor } from '../../support/world.ts';

const hourMs = 3_600_000;

/** A task that has ended and was acknowledged, so long ago. */
async function endedBefore(
  world: World,
  ageMs: number,
  retentionMs: number | null,
  id = 'test',
): Promise<string> {
  const session = await world.session(id, { retentionMs });
  const { task } = await session.run('true');
  await session.close();
  letEndEarlier(world.logOf(task.id), ageMs);
  return task.id;
}

const ids = (world: World): string[] => world.taskIds().sort();

test('each task is kept as long as its own record says, whatever the open session says', async () => {
  await using world = new World();
  const kept = [
    await endedBefore(world, 100 * 24 * hourMs, null),
    await endedBefore(world, hourMs, 2 * hourMs),
    await endedBefore(world, 6 * 24 * hourMs, defaults.retentionMs),
  ];
  const old = [
    await endedBefore(world, 3 * hourMs, 2 * hourMs),
    await endedBefore(world, 8 * 24 * hourMs, defaults.retentionMs),
    await endedBefore(world, hourMs, 60_000, 'nobody opens this one'),
  ];
  letRetentionBeDue(world.dir);
  for (const retentionMs of [0, null, 60_000]) await (await world.session('other', { retentionMs })).close();
  await waitFor(() => old.every((id) => !ids(world).includes(id)), 'what is old to go');
  assert.deepEqual(ids(world), kept.sort());
});

test('pending tasks are kept, and so are tasks whose record has no retention time', async () => {
  await using world = new World();
  const session = await world.session('test', { retentionMs: 0 });
  const pending = await session.spawn('true');
  await pending.wait({ ack: false });
  const { task: garbage } = await session.run('true');
  await session.close();
  writeFileSync(world.logOf(garbage.id), 'x'.repeat(500));
  utimesSync(world.logOf(garbage.id), 1, 1);
  const later = await world.session();
  for (const { taskId } of await later.pending()) if (taskId === garbage.id) await later.task(taskId).ack();
  const old = await endedBefore(world, hourMs, 0, 'another');
  letRetentionBeDue(world.dir);
  await (await world.session('third')).close();
  await waitFor(() => !ids(world).includes(old), 'what is old to go');
  assert.deepEqual(ids(world), [pending.id, garbage.id].sort());
});

test('whichever process opens a session goes through the store, once in ten minutes', async () => {
  await using world = new World();
  const first = await endedBefore(world, hourMs, 0);
  await (await world.session()).close();
  assert.deepEqual(ids(world), [first]);
  const { dueAt, place } = retentionMark(world.dir);
  assert.ok(
    place === null && dueAt > Date.now() + retainEveryMs - 60_000 && dueAt <= Date.now() + retainEveryMs,
  );
  noteRetention(world.dir);
  await (await world.session()).close();
  await waitFor(() => ids(world).length === 0, 'it to go');
  assert.ok(retentionMark(world.dir).dueAt > Date.now());
});

test('the MCP server goes through a store, too', async () => {
  await using world = new World();
  const old = await endedBefore(world, hourMs, 0);
  letRetentionBeDue(world.dir);
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'true' });
  await waitFor(() => !ids(world).includes(old), 'what is old to go');
});

test('a lower byte limit is applied at once, a higher one only after ten minutes', async () => {
  await using world = new World();
  mkdirSync(join(sessionsFolder(world.dir), 'a-0123456789abcdef'), { recursive: true });
  /** Whether a process with that bound goes through the store. */
  const take = (bound: number | null): boolean => {
    const { piece } = takePiece(world.dir, bound);
    if (piece !== null) endPiece(world.dir, piece, { place: null, bytes: 5_000 });
    return piece !== null;
  };
  assert.deepEqual([take(1_000), take(1_000), take(2_000), take(null)], [true, false, false, false]);
  assert.deepEqual([take(999), take(1_000), take(999)], [true, false, false]);
  noteRetention(world.dir);
  assert.deepEqual([take(null), take(null), take(4_999), take(5_000)], [true, false, true, false]);
  assert.equal(retentionMark(world.dir).maxBytes, 4_999);
});

test('one of many simultaneous processes goes through the store', async () => {
  await using world = new World();
  mkdirSync(join(sessionsFolder(world.dir), 'a-0123456789abcdef'), { recursive: true });
  assert.notEqual(takePiece(world.dir, null).piece, null);
  const url = new URL('../../../src/engine/store/retention-due.js', import.meta.url).href;
  for (let round = 0; round < 3; round += 1) {
    noteRetention(world.dir, { dueAt: 1, place: null });
    const start = Date.now() + 1_000;
    const code = `import { takePiece } from ${JSON.stringify(url)};
      while (Date.now() < ${start});
      process.stdout.write(String(takePiece(${JSON.stringify(world.dir)}, null).piece !== null));`;
    const run = promisify(execFile);
    const asked = Array.from({ length: 6 }, () => run(process.execPath, ['--input-type=module', '-e', code]));
    const answers = (await Promise.all(asked)).map(({ stdout }) => stdout);
    assert.equal(answers.filter((answer) => answer === 'true').length, 1, answers.join(' '));
  }
});

test('a store without sessions is gone through at once', async () => {
  await using world = new World();
  mkdirSync(world.dir);
  assert.deepEqual(takePiece(world.dir, null), { piece: null, waitMs: retainEveryMs });
  const { place, dueAt } = retentionMark(world.dir);
  assert.ok(place === null && dueAt > Date.now() + retainEveryMs / 2);
});
