import assert from 'node:assert/strict';
import childProcess, { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { OutliveError, openStore, type Session } from '../../../src/index.ts';
import { factOf, hasFact, overwrite } from '../../support/logs.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

const isElsewhere = (error: unknown): boolean =>
  error instanceof OutliveError && error.code === 'TASK_ELSEWHERE' && /copy of its store/.test(error.message);

/** Opens a session of a copy, or of a store that was moved. */
async function opened<T>(dir: string, use: (session: Session) => Promise<T>): Promise<T> {
  await using store = await openStore({ dir });
  return await use(await store.session('test'));
}

/** A command that ends with 3 when a file is there. */
function waitsFor(world: World): { readonly command: string; readonly go: () => void } {
  const path = `${world.base}/go`;
  const command = `echo ready; until [ -e ${quote(path)} ]; do sleep 0.02; done; exit 3`;
  return { command, go: () => writeFileSync(path, '') };
}

/** Whatever is asked of a copy, nothing is made up there, and nothing happens to the original's task. */
async function assertLeftAlone(dir: string, taskId: string, pid: number): Promise<void> {
  await opened(dir, async (session) => {
    const task = session.task(taskId);
    const { status, statusReason, endedAt } = task.snapshot();
    assert.deepEqual([status, statusReason, endedAt], ['running', 'copied', null]);
    await assert.rejects(task.kill({ graceMs: 0 }), isElsewhere);
    await assert.rejects(task.kill({ killSignal: 'SIGKILL' }), isElsewhere);
    assert.deepEqual(await session.shutdown({ graceMs: 0 }), []);
    assert.equal((await task.wait({ timeoutMs: 100 })).status, 'running');
    assert.deepEqual(await session.pending(), []);
    assert.deepEqual((await session.prune({ olderThanMs: 0, maxBytes: 0 })).taskIds, []);
    assert.equal((await task.tail()).text, 'ready\n');
    // It is a store like any other for what is started there.
    assert.equal((await session.run('exit 4')).snapshot.exitCode, 4);
  });
  assert.ok(isLive(pid));
}

for (const [where, folder] of [
  ['beside it', '/tmp'],
  ['on another device', '/dev/shm'],
] as const) {
  test(`a copy of a live store ${where} does not touch the tasks of the original, and makes up no end`, async () => {
    await using world = new World();
    const away = mkdtempSync(`${folder === '/tmp' ? world.base : folder}/outlive-copy-`);
    try {
      const session = await world.session();
      const { command, go } = waitsFor(world);
      const task = await session.spawn(command);
      await untilPrinted(task);
      const copy = `${away}/store`;
      execFileSync('cp', ['-a', world.dir, copy]);
      const { pid } = factOf(world.logOf(task.id), 'started');
      await assertLeftAlone(copy, task.id, pid);
      go();
      assert.equal((await task.wait({ ack: false })).exitCode, 3);
      // Its shim is gone by now, and the copy has no more than what was copied.
      await waitFor(() => world.pids().length === 0, 'the shim to end');
      const seen = await opened(copy, async (other) => other.task(task.id).snapshot());
      assert.deepEqual([seen.status, seen.statusReason], ['running', 'copied']);
      assert.equal((await session.takePending())[0]?.exitCode, 3);
    } finally {
      rmSync(away, { recursive: true });
    }
  });
}

test('a copy tells the ends in its records, settled or not', async () => {
  await using world = new World();
  const session = await world.session();
  const settled = await session.spawn('exit 3');
  await settled.wait({ ack: false });
  await waitFor(() => hasFact(world.logOf(settled.id), 'outcome'), 'the outcome');
  const task = await session.spawn('sleep 0.3; exit 5');
  await session.close();
  await waitFor(() => world.pids().length === 0, 'the command to end, and its shim');
  assert.equal(hasFact(world.logOf(task.id), 'outcome'), false);
  const copy = `${world.base}/copy`;
  execFileSync('cp', ['-a', world.dir, copy]);
  const codes = async (other: Session) =>
    (await other.takePending()).map(({ taskId, exitCode }) => [taskId, exitCode]);
  const expected = [
    [settled.id, 3],
    [task.id, 5],
  ];
  assert.deepEqual(await opened(copy, codes), expected);
  // Each of the two owes it.
  assert.deepEqual(await codes(await world.session()), expected);
});

test('a copy does not stop the leftovers of an ended task', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('setsid sleep 300 & sleep 0.2; exit 3');
  const [left] = snapshot.leftovers;
  assert.ok(left);
  const copy = `${world.base}/copy`;
  execFileSync('cp', ['-a', world.dir, copy]);
  await opened(copy, async (other) => {
    assert.equal(other.task(task.id).snapshot().exitCode, 3);
    await assert.rejects(other.task(task.id).kill({ graceMs: 0 }), isElsewhere);
  });
  assert.ok(isLive(left.pid));
  assert.deepEqual((await task.kill({ graceMs: 0 })).leftovers, []);
});

test('a store whose files have a second name is one store under both', async () => {
  await using world = new World();
  const session = await world.session();
  const { command, go } = waitsFor(world);
  const task = await session.spawn(command);
  const killed = await session.spawn('echo ready; sleep 300');
  for (const one of [task, killed]) await untilPrinted(one);
  const linked = `${world.base}/linked`;
  execFileSync('cp', ['-al', world.dir, linked]);
  await opened(linked, async (other) => {
    assert.equal(other.task(task.id).snapshot().statusReason, null);
    assert.equal((await other.task(killed.id).kill({ graceMs: 500 })).status, 'killed');
    go();
    assert.equal((await other.task(task.id).wait({ ack: false })).exitCode, 3);
  });
  assert.deepEqual([(await task.wait()).exitCode, killed.snapshot().status], [3, 'killed']);
});

test('a live store that is moved within its device keeps its tasks', async () => {
  await using world = new World();
  const session = await world.session();
  const { command, go } = waitsFor(world);
  const task = await session.spawn(command);
  const killed = await session.spawn('echo ready; sleep 300');
  for (const one of [task, killed]) await untilPrinted(one);
  await session.close();
  const moved = `${world.base}/moved`;
  renameSync(world.dir, moved);
  await opened(moved, async (other) => {
    assert.equal((await other.task(killed.id).kill({ graceMs: 500 })).status, 'killed');
    go();
    assert.equal((await other.task(task.id).wait()).exitCode, 3);
  });
  renameSync(moved, world.dir);
});

test('a live store that is moved to another device counts as a copy, whose original is gone', async () => {
  await using world = new World();
  const away = mkdtempSync('/dev/shm/outlive-moved-');
  try {
    const session = await world.session();
    const { command } = waitsFor(world);
    const task = await session.spawn(command);
    await untilPrinted(task);
    const { pid } = factOf(world.logOf(task.id), 'started');
    await session.close();
    execFileSync('mv', [world.dir, `${away}/store`]);
    await assertLeftAlone(`${away}/store`, task.id, pid);
    // Who knows that there is no other says so, and stops the process by hand.
    await using store = await openStore({ dir: `${away}/store`, elsewhere: 'lost' });
    const end = await (await store.session('test')).task(task.id).wait();
    assert.deepEqual([end.status, end.statusReason, end.endedAt], ['lost', 'elsewhere', null]);
    assert.ok(isLive(pid));
    process.kill(-pid, 'SIGKILL');
    await waitFor(() => !isLive(pid), 'the command to end');
  } finally {
    rmSync(away, { recursive: true });
  }
});

test('a copy is recognized only in the boot in which it was made: after a reboot its tasks are lost', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; sleep 300');
  await untilPrinted(task);
  const copy = `${world.base}/copy`;
  execFileSync('cp', ['-a', world.dir, copy]);
  const { boot } = factOf(world.logOf(task.id), 'spec').by;
  const log = world.logOf(task.id).replace(world.dir, copy);
  overwrite(log, boot, boot.replace(/[0-9a-f]/g, '0'));
  const seen = await opened(copy, async (other) => other.task(task.id).snapshot());
  assert.deepEqual([seen.status, seen.statusReason], ['lost', 'reboot']);
  assert.equal(task.snapshot().status, 'running');
});

test('if inode numbers change, a task whose shim holds its log is no copy', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; sleep 300');
  await untilPrinted(task);
  const log = world.logOf(task.id);
  const { ino } = factOf(log, 'spec').file ?? { ino: 0 };
  const other = String(ino).replace(/\d/g, (digit) => String((Number(digit) % 9) + 1));
  overwrite(log, `"ino":${ino}`, `"ino":${other}`);
  const again = (await world.session()).task(task.id);
  assert.deepEqual([again.snapshot().status, again.snapshot().statusReason], ['running', null]);
  assert.equal((await again.kill({ graceMs: 500 })).status, 'killed');
});

test('a copy made while many tasks start and end tells no false end', async () => {
  await using world = new World();
  const session = await world.session();
  const gate = `${world.base}/open`;
  const wait = `until [ -e ${quote(gate)} ]; do sleep 0.02; done`;
  const live = await Promise.all(Array.from({ length: 12 }, (_, at) => session.spawn(`${wait}; exit ${at}`)));
  const spawning = Array.from({ length: 12 }, () => session.spawn('sleep 0.05; exit 1'));
  const copies = Array.from({ length: 4 }, (_, at) => `${world.base}/copy-${at}`);
  for (const copy of copies) {
    mkdirSync(copy);
    // A log may go while it is copied: nothing of it is there then.
    execFileSync('sh', ['-c', `cp -a ${quote(world.dir)}/. ${quote(copy)} 2>/dev/null || true`]);
  }
  for (const task of spawning) await (await task).wait();
  await untilStarted(world, ...live.map(({ id }) => id));
  for (const copy of copies) {
    await opened(copy, async (other) => {
      for (const { status, exitCode, statusReason } of await other.tasks())
        assert.ok(
          statusReason === 'copied' || (status === 'failed' && exitCode === 1),
          `${status} ${statusReason} ${exitCode}`,
        );
    });
  }
  writeFileSync(gate, '');
  for (const [at, task] of live.entries()) assert.equal((await task.wait()).exitCode, at);
});

test('for ended tasks no shim is asked, however many are in a copy', async () => {
  await using world = new World();
  const original = await world.session();
  for (let count = 0; count < 5; count += 1) await original.run(`exit ${count}`);
  await waitFor(() => world.pids().length === 0, 'the shims to end');
  const copy = mkdtempSync('/tmp/outlive-copy-');
  execFileSync('cp', ['-a', `${world.dir}/.`, copy]);
  const { spawnSync } = childProcess;
  let asked = 0;
  const counting = (...args: Parameters<typeof spawnSync>): ReturnType<typeof spawnSync> => {
    asked += 1;
    return spawnSync(...args);
  };
  Object.assign(childProcess, { spawnSync: counting });
  syncBuiltinESMExports();
  try {
    const codes = await opened(copy, async (session) =>
      (await session.tasks()).map(({ exitCode }) => exitCode),
    );
    assert.deepEqual(codes.sort(), [0, 1, 2, 3, 4]);
    assert.equal(asked, 0);
  } finally {
    Object.assign(childProcess, { spawnSync });
    syncBuiltinESMExports();
    rmSync(copy, { recursive: true });
  }
});
