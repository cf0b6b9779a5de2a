import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fillStore } from '../../../bench/old-store.ts';
import {
  endPiece,
  pieceEveryMs,
  pieceTakesMs,
  retainEveryMs,
  takePiece,
} from '../../../src/engine/store/retention-due.ts';
import { goOn } from '../../../src/engine/store/round.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { OutliveError } from '../../../src/index.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import { removedLog, sessionPaths, sessionsFolder } from '../../../src/tasklog/paths.ts';
import { markName } from '../../../src/tasklog/retention-mark.ts';
import {
  letEndEarlier,
  letRetentionBeDue,
  noteRetention,
  retentionMark,
  retentionMarks,
} from '../../support/retention.ts';
import { World, waitFor } from '../../support/world.ts';

const dayMs = 24 * 3_600_000;

/** A task that is to go, in a session of its own or in one that there is. */
async function expired(world: World, sessionId: string): Promise<string> {
  const session = await world.session(sessionId);
  const { task } = await session.run('echo gone');
  await session.close();
  letEndEarlier(world.logOf(task.id), 8 * dayMs);
  return task.id;
}

/** The files of all sessions together. */
function bytesIn(dir: string): number {
  const names = readdirSync(sessionsFolder(dir), { recursive: true, encoding: 'utf8' });
  const paths = names.filter((name) => /[/\\](?:tasks|output|done)[/\\]/.test(name));
  const stats = paths.map((name) => statSync(join(sessionsFolder(dir), name)));
  return stats.reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

/** Does the next piece as if it were due, and says what the mark says then. */
async function nextPiece(dir: string, maxStoreBytes: number | null = null) {
  if (retentionMarks(dir).length > 0) noteRetention(dir);
  const store = { ...storeAsItIs(dir, await currentSystem()), maxStoreBytes };
  const { piece } = takePiece(dir, maxStoreBytes);
  assert.ok(piece !== null, 'a piece is due');
  await goOn(store, piece);
  return retentionMark(dir);
}

async function wholeRound(dir: string, maxStoreBytes: number | null = null): Promise<number> {
  for (let pieces = 1; ; pieces += 1) {
    if ((await nextPiece(dir, maxStoreBytes)).place === null) return pieces;
    assert.ok(pieces < 1_000, 'the round comes to an end');
  }
}

test('a round through many sessions comes in pieces, removes old tasks, and counts each file once', async () => {
  await using world = new World();
  const old = [await expired(world, 'aaa'), await expired(world, 'session 0'), await expired(world, 'zzz')];
  await fillStore(world.dir, { sessions: 400, tasks: 800, days: 5 });
  letRetentionBeDue(world.dir);
  const pieces = await wholeRound(world.dir);
  assert.ok(pieces > 1, `${pieces} pieces`);
  assert.ok(world.taskIds().every((id) => !old.includes(id)));
  assert.equal(world.taskIds().length, 800 + 3);
  for (const id of ['aaa', 'zzz']) assert.ok(!existsSync(sessionPaths(world.dir, id).dir));
  const { bytes, dueAt, place } = retentionMark(world.dir);
  assert.deepEqual([place, bytes], [null, bytesIn(world.dir)]);
  assert.ok(dueAt > Date.now() + retainEveryMs / 2);
});

test('one large session comes in pieces, too', async () => {
  await using world = new World();
  const old = await expired(world, 'large');
  await fillStore(world.dir, {
    sessions: 0,
    tasks: 0,
    largest: { sessionId: 'large', tasks: 3_000 },
    days: 5,
  });
  const orphan = join(sessionPaths(world.dir, 'large').output, 'bgb-ffffffffffff.out');
  writeFileSync(orphan, 'x'.repeat(100_000), { mode: 0o600 });
  letRetentionBeDue(world.dir);
  const places: (string | undefined)[] = [];
  for (let place: string | undefined = ''; place !== undefined; ) {
    const mark = await nextPiece(world.dir);
    place = mark.place === null ? undefined : (mark.place.within?.folder ?? 'behind');
    places.push(place);
  }
  assert.ok(places.length > 2 && places.includes('output'), places.join(' '));
  assert.equal(world.taskIds().includes(old), false);
  // It is a moment old, so it may be the output of a task that is on its way.
  assert.equal(retentionMark(world.dir).bytes, bytesIn(world.dir));
  assert.ok(existsSync(orphan));
});

test('the excess is removed at the end of a round, with the lowest bound of all participants', async () => {
  await using world = new World();
  await fillStore(world.dir, { sessions: 300, tasks: 600, days: 5 });
  letRetentionBeDue(world.dir);
  const before = bytesIn(world.dir);
  const first = await nextPiece(world.dir, Math.floor(before / 2));
  assert.notEqual(first.place, null);
  await wholeRound(world.dir, null);
  assert.ok(bytesIn(world.dir) <= before / 2);
  assert.ok(world.taskIds().length > 100);
});

test('a process that dies in the middle of a piece leaves only one session to the next round', async () => {
  await using world = new World();
  const [first, second] = [await expired(world, 'aaa'), await expired(world, 'bbb')];
  letRetentionBeDue(world.dir);
  const url = new URL('../../../src/engine/store/retention-due.js', import.meta.url).href;
  const code = `import { takePiece } from ${JSON.stringify(url)};
    takePiece(${JSON.stringify(world.dir)}, null);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');
  const { piece, waitMs } = takePiece(world.dir, null);
  assert.ok(piece === null && waitMs > 0 && waitMs <= pieceTakesMs, 'it may be at work');
  await wholeRound(world.dir);
  assert.deepEqual(
    [first, second].filter((id) => world.taskIds().includes(id)),
    [first],
  );
  await wholeRound(world.dir);
  assert.deepEqual(
    [first, second].filter((id) => world.taskIds().includes(id)),
    [],
  );
});

test('even if the process of each piece dies, each piece gets one session further', async () => {
  await using world = new World();
  await fillStore(world.dir, { sessions: 5, tasks: 5, days: 5 });
  const old = await expired(world, 'zzz');
  letRetentionBeDue(world.dir);
  const begun: (string | undefined)[] = [];
  for (let at = 0; at < 6; at += 1) {
    if (at > 0) noteRetention(world.dir);
    begun.push(takePiece(world.dir, null).piece?.sessions[0]);
  }
  assert.equal(new Set(begun).size, 6, begun.join(' '));
  await wholeRound(world.dir);
  assert.ok(!world.taskIds().includes(old));
});

test('a process that was stopped in the middle of a piece does not change what others have noted since', async () => {
  await using world = new World();
  const old = await expired(world, 'aaa');
  letRetentionBeDue(world.dir);
  const { piece } = takePiece(world.dir, null);
  assert.ok(piece !== null);
  await wholeRound(world.dir);
  const [noted] = retentionMarks(world.dir);
  await goOn(storeAsItIs(world.dir, await currentSystem()), piece);
  assert.deepEqual(retentionMarks(world.dir), [noted]);
  assert.ok(!world.taskIds().includes(old));
});

test('setting the clock back or forward neither stops a round nor restarts it', async () => {
  await using world = new World();
  await fillStore(world.dir, { sessions: 5, tasks: 5, days: 5 });
  letRetentionBeDue(world.dir);
  const { piece } = takePiece(world.dir, null);
  assert.ok(piece !== null);
  endPiece(world.dir, piece, { place: piece.mark.place, bytes: 77 });
  const { place } = retentionMark(world.dir);
  assert.ok((takePiece(world.dir, null).waitMs ?? 0) <= pieceEveryMs);
  // Set back by two hours: what was noted lies in the future. By a century: there is hardly a number for it.
  for (const dueAt of [Date.now() + 2 * 3_600_000, 999_999_999_999_999, 1]) {
    noteRetention(world.dir, { dueAt, place, bytes: 77 });
    const next = takePiece(world.dir, null).piece;
    assert.deepEqual([next?.after, next?.mark.bytes], [place, 77]);
  }
  noteRetention(world.dir, { dueAt: Date.now() + retainEveryMs - 5_000, place: null });
  assert.equal(takePiece(world.dir, null).piece, null);
});

test('foreign marks, or two marks, stop nothing', async () => {
  await using world = new World();
  await fillStore(world.dir, { sessions: 2, tasks: 2, days: 5 });
  const strange = [
    ['retained-000-any-000'],
    ['retained-1-any-9999999999999999'],
    ['retained-5-any-0-gone-0123456789abcdef,never,bgb-000000000000'],
    [`retained-5-0-0-${'z'.repeat(32)}-0123456789abcdef`],
    ['retained-999999999999999-1-1', 'retained-1-any-0'],
    [markName({ dueAt: 3, maxBytes: null, bytes: 0, place: null }), 'retained-2-any-0', 'retained-1-7-0'],
  ];
  for (const names of strange) {
    letRetentionBeDue(world.dir);
    const old = await expired(world, 'aaa');
    for (const name of retentionMarks(world.dir)) rmSync(join(world.dir, name));
    for (const name of names) writeFileSync(join(world.dir, name), '', { mode: 0o600 });
    for (let round = 0; round < 3 && world.taskIds().includes(old); round += 1) {
      const { piece } = takePiece(world.dir, null);
      assert.ok(piece !== null, names.join(' '));
      await goOn(storeAsItIs(world.dir, await currentSystem()), piece);
      assert.equal(retentionMarks(world.dir).length, 1);
      noteRetention(world.dir);
    }
    assert.ok(!world.taskIds().includes(old), names.join(' '));
  }
});

test('a program that has a session open goes on by itself until the round is over', async () => {
  await using world = new World();
  await fillStore(world.dir, { sessions: 150, tasks: 300, days: 5 });
  const old = await expired(world, 'zzz');
  letRetentionBeDue(world.dir);
  const session = await world.session('program');
  await session.spawn('sleep 1000');
  await waitFor(() => !world.taskIds().includes(old), 'the last session to be reached');
  await waitFor(() => retentionMark(world.dir).place === null, 'the end of the round');
});

test('an unreadable session does not keep the round from the others', async () => {
  await using world = new World();
  const old = [await expired(world, 'aaa'), await expired(world, 'ccc')];
  const bad = await expired(world, 'bbb');
  const cut = join(sessionPaths(world.dir, 'bbb').output, `${bad}.out.${process.pid}-7.cut`);
  writeFileSync(cut, '', { mode: 0o600 });
  letRetentionBeDue(world.dir);
  const view = (): never => {
    throw new OutliveError('READ_FAILED', 'expected to look at a process; found that nothing can be read.');
  };
  const { piece } = takePiece(world.dir, null);
  assert.ok(piece !== null);
  await goOn(storeAsItIs(world.dir, { ...(await currentSystem()), view }), piece);
  assert.ok(world.taskIds().every((id) => !old.includes(id)));
  assert.deepEqual([retentionMark(world.dir).place, existsSync(cut)], [null, true]);
  rmSync(cut);
});

test('an interrupted removal in a session that nobody opens is finished, and the session is removed', async () => {
  await using world = new World();
  const id = await expired(world, 'aaa');
  const paths = sessionPaths(world.dir, 'aaa');
  renameSync(world.logOf(id), removedLog(paths, id));
  letRetentionBeDue(world.dir);
  await wholeRound(world.dir);
  assert.ok(!existsSync(paths.dir));
});
