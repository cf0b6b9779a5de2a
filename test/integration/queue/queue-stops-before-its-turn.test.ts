import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Session, Task } from '../../../src/index.ts';
import { appendFacts, factOf } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { endOf, untilAsleep } from '../../support/queues.ts';
import { quote, World, waitFor } from '../../support/world.ts';

/** Longer than a test waits: a stop that takes its grace fails the test. */
const graceMs = 60_000;

test('a queued task that is stopped never runs its command', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const { waiting, trace } = await oneWaits(world, session);
  await untilAsleep(world, waiting);
  let done = false;
  const stop = waiting.kill({ graceMs }).finally(() => {
    done = true;
  });
  await waitFor(() => done, 'the stop');
  const { status, statusReason, exitCode, exitSignal, startedAt } = await stop;
  assert.deepEqual([status, statusReason, exitCode, exitSignal], ['killed', 'kill', null, null]);
  assert.equal(startedAt, null);
  assert.deepEqual(world.pidsOf(waiting.id), []);
  assert.equal(existsSync(trace), false);
});

test('a queued task can be killed with SIGKILL, too', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const { waiting, trace } = await oneWaits(world, session);
  const { status, exitCode, exitSignal } = await waiting.kill({ killSignal: 'SIGKILL' });
  assert.deepEqual([status, exitCode, exitSignal], ['killed', null, null]);
  assert.equal(existsSync(trace), false);
});

test('a stop that a dead process requested ends a queued task', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const { waiting, trace } = await oneWaits(world, session);
  await untilAsleep(world, waiting);
  const by = { ...factOf(world.logOf(waiting.id), 'spec').by, pid: 999_999, start: 1 };
  const stop = {
    fact: 'stop',
    cause: 'kill',
    id: 'x',
    by,
    at: Date.now(),
    graceMs: 50,
    killSignal: 'SIGTERM',
  };
  appendFacts(world.logOf(waiting.id), stop);
  assert.equal((await endOf(waiting)).status, 'killed');
  assert.equal(existsSync(trace), false);
});

test('shutdown stops queued tasks together with running ones, and nothing starts in between', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const { trace } = await oneWaits(world, session);
  for (let more = 0; more < 3; more += 1) await session.spawn('true', { onLimit: 'queue' });
  const ends = await session.shutdown({ graceMs: 100 });
  assert.deepEqual(
    ends.map(({ status, statusReason }) => `${status} ${statusReason}`),
    Array.from({ length: 5 }, () => 'killed shutdown'),
  );
  assert.equal(existsSync(trace), false);
});

test('a queued task whose shim was killed has failed: its command never ran', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const { waiting, trace } = await oneWaits(world, session);
  await untilAsleep(world, waiting);
  process.kill(factOf(world.logOf(waiting.id), 'waiting').pid, 'SIGKILL');
  const { status, statusReason, exitCode, exitSignal } = await endOf(waiting);
  assert.deepEqual([status, statusReason, exitCode, exitSignal], ['failed', 'spawn_aborted', null, null]);
  assert.equal(existsSync(trace), false);
});

test(
  'a waiting shim that is continued by somebody goes on waiting',
  notOnWindows('there is no SIGCONT'),
  async () => {
    await using world = new World();
    const session = await world.session('test', { maxRunning: 1 });
    const { waiting, trace } = await oneWaits(world, session);
    await untilAsleep(world, waiting);
    const { pid } = factOf(world.logOf(waiting.id), 'waiting');
    for (const killSignal of ['SIGCONT', 'SIGTERM', 'SIGCONT', 'SIGHUP', 'SIGCONT'] as const) {
      process.kill(pid, killSignal);
      await untilAsleep(world, waiting);
    }
    assert.equal(waiting.snapshot().status, 'queued');
    assert.equal(existsSync(trace), false);
  },
);

test('a shim that was told of its turn only once, before it slept, is woken', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const { waiting } = await oneWaits(world, session);
  await untilAsleep(world, waiting);
  // What a supervisor leaves that dies before it wakes the shim, and what a shim finds that was woken too early.
  const { by } = factOf(world.logOf(waiting.id), 'spec');
  appendFacts(world.logOf(waiting.id), { fact: 'turn', by, at: Date.now() });
  assert.equal((await endOf(waiting)).status, 'completed');
});

async function oneWaits(world: World, session: Session): Promise<{ waiting: Task; trace: string }> {
  await session.spawn('sleep 100');
  const trace = `${world.base}/trace`;
  return { waiting: await session.spawn(`echo ran >${quote(trace)}`, { onLimit: 'queue' }), trace };
}
