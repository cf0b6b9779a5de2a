import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { factOf } from '../../support/logs.ts';
import { ShimInPlace, shimAfter } from '../../support/shims.ts';
import { World } from '../../support/world.ts';

const mebi = 1024 ** 2;
const show = `nice; awk '/Max address space/ { print $4 }' /proc/self/limits; ulimit -t; ulimit -u; echo "$0"`;

test('a command has the limits that were asked for', async () => {
  await using world = new World();
  const session = await world.session('test', { store: { cgroup: null } });
  const niceness = getPriority() + 3;
  const limits = { memoryBytes: 900 * mebi + 1, cpuSeconds: 77, processes: 4_321, niceness };
  const { output, snapshot } = await session.run(show, limits);
  assert.equal(output.text, `${niceness}\n${limits.memoryBytes}\n77\n4321\nbash\n`);
  assert.deepEqual(snapshot.limits, [
    { limit: 'memoryBytes', value: 900 * mebi + 1, by: 'ulimit' },
    { limit: 'cpuSeconds', value: 77, by: 'ulimit' },
    // Root's processes are not counted.
    { limit: 'processes', value: 4_321, by: process.geteuid?.() === 0 ? 'nothing' : 'ulimit' },
    { limit: 'niceness', value: niceness, by: 'nice' },
  ]);
  assert.deepEqual(factOf(world.logOf(snapshot.taskId), 'spec').limits, snapshot.limits);
});

test('without limits nothing is limited, and nothing is reported', async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run('ulimit -v; ulimit -t');
  assert.equal(output.text, 'unlimited\nunlimited\n');
  assert.deepEqual(snapshot.limits, []);
});

test('a command that uses up its CPU time ends with 152, and its reason says why', async () => {
  await using world = new World();
  const session = await world.session('test', { store: { cgroup: null } });
  const { snapshot } = await session.run('while :; do :; done', { cpuSeconds: 1, waitMs: 60_000 });
  assert.deepEqual([snapshot.status, snapshot.statusReason, snapshot.exitCode], ['failed', 'cpu_limit', 152]);
});

test('a command that ignores SIGXCPU is killed a second later', async () => {
  await using world = new World();
  const session = await world.session('test', { store: { cgroup: null } });
  const stubborn = "trap '' XCPU; while :; do :; done";
  const { snapshot } = await session.run(stubborn, { cpuSeconds: 1, waitMs: 60_000 });
  assert.deepEqual([snapshot.status, snapshot.statusReason, snapshot.exitCode], ['failed', 'cpu_limit', 137]);
});

test('a command that asks for more memory than it may have does not get it', async () => {
  await using world = new World();
  const session = await world.session('test', { store: { cgroup: null } });
  const big = 'x=$(head -c 300000000 /dev/zero | tr "\\0" x)';
  const { snapshot, output } = await session.run(big, { memoryBytes: 128 * mebi });
  assert.equal(snapshot.status, 'failed');
  assert.match(output.text, /cannot allocate/);
});

test('a hard limit that is already lower does not change', async () => {
  const look = async (world: World): Promise<string> => {
    const session = await world.session('test', { store: { cgroup: null } });
    return (await session.run('ulimit -H -t', { cpuSeconds: 50 })).output.text;
  };
  await using free = new World();
  assert.equal(await look(free), '51\n');
  // A store keeps the shim that it has found.
  await using world = new World();
  using _ = new ShimInPlace(shimAfter(world, 'ulimit -t 5'));
  assert.equal(await look(world), '5\n');
});

test('limits hold for a queued task, too', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1, store: { cgroup: null } });
  await session.spawn('sleep 0.1');
  const { output } = await session.run('ulimit -t', { onLimit: 'queue', cpuSeconds: 9 });
  assert.equal(output.text, '9\n');
});
