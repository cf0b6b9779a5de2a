import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeRequest, requestVariable } from '../../../src/shim/request.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { untilPrinted } from '../../support/ready.ts';
import { builtShim } from '../../support/shim.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** The promise is 50 ms; a noisy machine gets more, and the report says what it was. */
const boundMs = 1_000;

test('a task that runs out of time is stopped in time, as timed_out with exit code 124', async (t) => {
  await using world = new World();
  const session = await world.session();
  const lateMs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const task = await session.spawn('sleep 300', { timeoutMs: 150 });
    const snapshot = await task.wait();
    assert.equal(snapshot.status, 'timed_out');
    assert.equal(snapshot.statusReason, 'timeout');
    assert.equal(snapshot.exitCode, 124);
    assert.deepEqual(world.pidsOf(task.id, snapshot.pid ?? undefined), []);
    // The time counts from the spawn.
    const lateBy = (snapshot.endedAt ?? Number.POSITIVE_INFINITY) - snapshot.createdAt - 150;
    assert.ok(lateBy >= -10, 'not before its time');
    lateMs.push(lateBy);
  }
  t.diagnostic(`late by ${lateMs.join(', ')} ms`);
  const best = Math.min(...lateMs);
  assert.ok(best < boundMs, `expected to be late by less than ${boundMs} ms; found ${best} at best`);
});

// In the reference system such a command survived its timeout and was reported ended.
test('a task that ignores SIGTERM is gone after its timeout and the grace period', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'), { timeoutMs: 300, graceMs: 100 });
  const snapshot = await task.wait();
  assert.equal(snapshot.status, 'timed_out');
  assert.deepEqual(snapshot.leftovers, []);
  assert.deepEqual(world.pidsOf(task.id, snapshot.pid ?? undefined), []);
});

test(
  'the status is timed_out even if the command then ends gracefully',
  notOnWindows('no process can be asked to end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const command = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done";
    let preview = '';
    // A busy machine may take longer than that until the trap is set.
    for (let timeoutMs = 200; !preview.includes('ready'); timeoutMs *= 2) {
      const snapshot = await (await session.spawn(command, { timeoutMs })).wait();
      assert.equal(snapshot.status, 'timed_out');
      assert.equal(snapshot.exitCode, 124);
      preview = snapshot.output.preview;
    }
    assert.match(preview, /cleaned/);
  },
);

test('a task that ends in time is not timed out, and leaves no process', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.1; exit 3', { timeoutMs: 60_000 });
  const snapshot = await task.wait();
  assert.equal(snapshot.status, 'failed');
  assert.equal(snapshot.exitCode, 3);
  await waitFor(
    () => world.pidsOf(task.id, snapshot.pid ?? undefined).length === 0,
    'its processes to be gone',
  );
  assert.equal(hasFact(world.logOf(task.id), 'stop'), false);
});

test(
  'timeoutMs: null means no limit, and a timeout needs no extra process',
  notOnWindows('the Windows shim enforces no timeout'),
  async () => {
    await using world = new World();
    const session = await world.session();
    for (const timeoutMs of [null, 60_000]) {
      const task = await session.spawn('echo ready; exec sleep 300', { timeoutMs });
      await untilPrinted(task);
      const snapshot = task.snapshot();
      assert.equal(snapshot.timeoutMs, timeoutMs);
      assert.deepEqual(childrenOf(snapshot.shimPid ?? 0), [String(snapshot.pid)]);
      assert.deepEqual(new Set(world.pids()), new Set([snapshot.shimPid, snapshot.pid]));
      await task.kill({ graceMs: 1_000 });
    }
  },
);

// One that waits for a disk before it runs has lost none of its time.
test(
  'the timeout counts from the recorded start of the command',
  notOnWindows('the Windows shim enforces no timeout'),
  async () => {
    await using world = new World();
    // It is held up on its way by a group that takes no process until somebody reads it.
    const gate = `${world.base}/cgroup.procs`;
    execFileSync('mkfifo', [gate]);
    for (let timeoutMs = 500, hasRun = false; !hasRun; timeoutMs *= 2) {
      const log = startShim(world, timeoutMs);
      await waitFor(() => world.pids().length === 2, 'the shim and what becomes the command');
      const heldAt = performance.now();
      await waitFor(() => performance.now() - heldAt > 100, 'a part of its time to pass');
      const reader = openSync(gate, constants.O_RDONLY | constants.O_NONBLOCK);
      await waitFor(() => hasFact(log, 'exit'), 'the end');
      closeSync(reader);
      const exit = factOf(log, 'exit');
      // On a busy machine its time may have been over before it could begin.
      hasRun = exit.ran;
      if (!hasRun) continue;
      const ranMs = (exit.monoMs ?? Number.NaN) - (factOf(log, 'started').monoMs ?? Number.NaN);
      assert.ok(ranMs >= timeoutMs, `it had ${ranMs} ms of ${timeoutMs} ms`);
    }
  },
);

/** Starts a shim for `sleep` without a session, in a cgroup that is none: the folder of the world. Returns its log. */
function startShim(world: World, timeoutMs: number): string {
  const taskId = `bgb-${timeoutMs.toString(16).padStart(12, '0')}`;
  const folder = `${world.dir}/sessions/none/tasks`;
  mkdirSync(folder, { recursive: true });
  const log = `${folder}/${taskId}.jsonl`;
  const descriptor = openSync(log, 'ax+');
  const cookie = `${taskId}.${'0'.repeat(16)}`;
  const request = encodeRequest({
    task: taskId,
    cookie,
    exitProof: 'a',
    goneProof: 'b',
    logOffset: 0,
    timeoutMs,
    graceMs: 0,
    maxOutputBytes: null,
    out: `${folder}/${taskId}.out`,
    err: null,
    pumped: false,
    slots: null,
    leftovers: 'report',
    bound: null,
    queued: false,
    bell: false,
    stays: false,
    limits: { cgroup: world.base },
    words: ['sleep', '300'],
  });
  const env = { PATH: process.env.PATH, OUTLIVE_TASK: cookie, [requestVariable]: request };
  const { status } = spawnSync(builtShim, [taskId], {
    env,
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  closeSync(descriptor);
  assert.equal(status, 0);
  return log;
}

for (const timeoutMs of [2 ** 31 + 10, 2 ** 32 + 10, 99 * 365 * 86_400_000]) {
  test(`a timeout of ${timeoutMs} ms does not overflow`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('sleep 0.3; exit 5', { timeoutMs });
    const snapshot = await task.wait();
    assert.equal(snapshot.status, 'failed');
    assert.equal(snapshot.exitCode, 5);
    assert.equal(hasFact(world.logOf(task.id), 'stop'), false);
  });
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
}
