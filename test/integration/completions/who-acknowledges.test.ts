import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import type { Session, Store, Task } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { World, waitFor } from '../../support/world.ts';

interface Scene {
  readonly session: Session;
  readonly store: Store;
  readonly task: Task;
}

type Row = readonly [call: string, acknowledges: boolean, call: (scene: Scene) => Promise<unknown>];

/** Takes the first thing of an iteration, and ends it. */
async function first<T>(iterable: AsyncIterable<T>): Promise<T | null> {
  for await (const one of iterable) return one;
  return null;
}

async function all(iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const one of iterable) void one;
}

/** What is done with a task that has ended. */
const ofEnded: readonly Row[] = [
  ['task.wait()', true, ({ task }) => task.wait()],
  ['task.wait({ ack: false })', false, ({ task }) => task.wait({ ack: false })],
  ['task.waitFor({ exit })', true, ({ task }) => task.waitFor({ exit: true })],
  ['task.waitFor({ exit, ack: false })', false, ({ task }) => task.waitFor({ exit: true, ack: false })],
  ['task.waitFor({ pattern }) that the end answers', true, ({ task }) => task.waitFor({ pattern: 'none' })],
  ['task.waitFor({ pattern }) that a match answers', false, ({ task }) => task.waitFor({ pattern: 'said' })],
  ['session.waitAny()', true, ({ session, task }) => session.waitAny([task])],
  ['session.waitAny({ ack: false })', false, ({ session, task }) => session.waitAny([task], { ack: false })],
  ['session.waitAll()', true, ({ session, task }) => session.waitAll([task])],
  ['session.waitAll({ ack: false })', false, ({ session, task }) => session.waitAll([task], { ack: false })],
  ['task.kill()', true, ({ task }) => task.kill()],
  ['task.kill({ ack: false })', false, ({ task }) => task.kill({ ack: false })],
  ['task.ack()', true, ({ task }) => task.ack()],
  ['session.takePending()', true, ({ session }) => session.takePending()],
  ['completion.ack()', true, async ({ session }) => await (await session.pending())[0]?.ack()],
  ['session.pending()', false, ({ session }) => session.pending()],
  ['session.completions()', false, ({ session }) => first(session.completions())],
  [
    'session.completions({ exclusive })',
    false,
    ({ session }) => first(session.completions({ exclusive: true })),
  ],
  ['session.tasks()', false, ({ session }) => session.tasks()],
  ['session.find()', false, async ({ session, task }) => session.find(task.id)],
  ['session.shutdown()', false, ({ session }) => session.shutdown()],
  ['session.end()', false, ({ session }) => session.end()],
  ['session.prune()', false, ({ session }) => session.prune({ olderThanMs: 0 })],
  ['task.snapshot()', false, async ({ task }) => task.snapshot()],
  ['task.read()', false, ({ task }) => task.read()],
  ['task.tail()', false, ({ task }) => task.tail()],
  ['task.follow()', false, ({ task }) => all(task.follow())],
  ['task.watch()', false, ({ task }) => all(task.watch('said'))],
  ['store.task().ack()', true, ({ store, task }) => store.task(task.id).ack()],
  ['store.task().waitFor()', false, ({ store, task }) => store.task(task.id).waitFor({ exit: true })],
  [
    'store.task().waitFor({ ack: true })',
    false,
    ({ store, task }) => store.task(task.id).waitFor({ exit: true, ack: true }),
  ],
  ['store.task().kill()', false, ({ store, task }) => store.task(task.id).kill()],
  ['store.task().follow()', false, ({ store, task }) => all(store.task(task.id).follow())],
  ['store.tasks()', false, ({ store }) => store.tasks()],
  ['store.eachTask()', false, ({ store }) => all(store.eachTask())],
  ['store.inspect()', false, ({ store, task }) => store.inspect(task.id)],
  ['store.pending()', false, ({ store, session }) => store.pending(session.id)],
  ['store.followPending()', false, ({ store, session }) => first(store.followPending(session.id))],
  ['store.watch()', false, ({ store }) => first(store.watch())],
  ['store.prune()', false, ({ store }) => store.prune({ olderThanMs: 0 })],
];

/** What ends a task that runs. */
const ofRunning: readonly Row[] = [
  ['task.kill()', true, ({ task }) => task.kill({ graceMs: 0 })],
  ['task.kill({ ack: false })', false, ({ task }) => task.kill({ graceMs: 0, ack: false })],
  [
    'two calls of task.kill(), one of them with ack: false',
    true,
    ({ task }) => Promise.all([task.kill({ graceMs: 0, ack: false }), task.kill({ graceMs: 0 })]),
  ],
  [
    'task.wait({ ack: false }) beside task.kill({ ack: false })',
    false,
    ({ task }) => Promise.all([task.wait({ ack: false }), task.kill({ graceMs: 0, ack: false })]),
  ],
  ['store.task().kill()', false, ({ store, task }) => store.task(task.id).kill({ graceMs: 0 })],
  ['session.shutdown()', false, ({ session }) => session.shutdown({ graceMs: 0 })],
  ['session.end()', false, ({ session }) => session.end({ graceMs: 0 })],
];

test('calls that wait for an end or cause it acknowledge it; reading, watching and listing do not', async (t) => {
  await using world = new World();
  const store = await world.store();
  for (const [call, acknowledges, act] of ofEnded) {
    await t.test(`${call}: ${acknowledges ? 'yes' : 'no'}`, async () => {
      const session = await world.session(`ended ${call}`);
      const task = await session.spawn('echo said; exit 4');
      await task.wait({ ack: false });
      await act({ session, store, task });
      await check(session, task, acknowledges);
    });
  }
});

test('a call that ends a task and returns its end acknowledges the end', async (t) => {
  await using world = new World();
  const store = await world.store();
  for (const [call, acknowledges, act] of ofRunning) {
    await t.test(`${call}: ${acknowledges ? 'yes' : 'no'}`, async () => {
      const session = await world.session(`running ${call}`);
      const task = await session.spawn('sleep 1000', { bindTo: 'session' });
      await act({ session, store, task });
      // A session is told of what others do by an event.
      await waitFor(
        async () => (await session.pending()).length === (acknowledges ? 0 : 1),
        'what is pending',
      );
      await check(session, task, acknowledges);
    });
  }
});

async function check(session: Session, task: Task, acknowledges: boolean): Promise<void> {
  assert.equal(task.snapshot().delivered, acknowledges);
  const pending = (await session.pending()).map(({ taskId }) => taskId);
  assert.deepEqual(pending, acknowledges ? [] : [task.id]);
}

test('run() acknowledges the end of a command that ends in time, unless ack is false', async () => {
  await using world = new World();
  const session = await world.session();
  assert.equal((await session.run('true')).snapshot.delivered, true);
  assert.deepEqual(await session.pending(), []);
  const { task, snapshot } = await session.run('true', { ack: false });
  assert.equal(snapshot.delivered, false);
  await check(session, task, false);
  await task.ack();
  const later = await session.run('sleep 1000', { waitMs: 0 });
  assert.equal(later.ended, false);
  await later.task.kill({ graceMs: 0, ack: false });
  await check(session, later.task, false);
});

test('the end of a scope acknowledges nothing', async () => {
  await using world = new World();
  const session = await world.session();
  let task: Task;
  {
    await using scoped = await session.spawn('sleep 1000', { stopAtEndOfScope: true, graceMs: 0 });
    task = scoped;
  }
  await check(session, task, false);
});

test('an end that kill() has returned goes to no consumer, and one that it leaves pending goes to each', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  const answered: string[] = [];
  const left: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    const [one, other] = [await session.spawn('sleep 1000'), await session.spawn('sleep 1000')];
    const [end] = await Promise.all([one.kill({ graceMs: 0 }), other.kill({ graceMs: 0, ack: false })]);
    assert.equal(end.delivered, true);
    answered.push(one.id);
    left.push(other.id);
  }
  await waitFor(() => taker.taken.length === left.length, 'those that were left');
  assert.deepEqual(taker.ids.toSorted(), left.toSorted());
});

test('a kill that fails, or returns before the end, acknowledges nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  await assert.rejects(task.kill({ killSignal: 'SIGNONE' as 'SIGTERM' }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(task.kill({ ack: 1 as unknown as boolean }), { code: 'INVALID_ARGUMENT' });
  assert.equal(task.snapshot().status === 'killing', false);
  await session.shutdown({ graceMs: 0 });
  await check(session, task, false);
  // A handle without a session has nothing to acknowledge, and says so.
  const store = await world.store();
  const ack = { ack: true } as object;
  await assert.rejects(store.task(task.id).kill(ack), { code: 'INVALID_ARGUMENT' });
});

test('a kill by another process acknowledges through its session, but not through a handle without a session', async () => {
  await using world = new World();
  const session = await world.session();
  await using agent = await Agent.start(world.dir);
  const byKill = await session.spawn('sleep 1000');
  await agent.run(async (scope, id) => void (await scope.session.task(id).kill({ graceMs: 0 })), byKill.id);
  await check(session, byKill, true);
  const byHandle = await session.spawn('sleep 1000');
  await agent.run(async (scope, id) => void (await scope.store.task(id).kill({ graceMs: 0 })), byHandle.id);
  await waitFor(async () => (await session.pending()).length === 1, 'the session to be told');
  await check(session, byHandle, false);
});

test('an acknowledgement in one session leaves ends pending in another', async () => {
  await using world = new World();
  const [one, other] = [await world.session('one'), await world.session('other')];
  const [mine, theirs] = [await one.spawn('sleep 1000'), await other.spawn('sleep 1000')];
  await Promise.all([mine.kill({ graceMs: 0 }), theirs.kill({ graceMs: 0, ack: false })]);
  await check(one, mine, true);
  await check(other, theirs, false);
});

test('the first acknowledgement returns true, also when the task was removed at once', async () => {
  await using world = new World();
  const session = await world.session();
  const [mine, late] = [await session.spawn('true'), await session.spawn('true')];
  for (const task of [mine, late]) await task.wait({ ack: false });
  assert.equal(await ackOfRemoved(world, mine, ''), true);
  const another = JSON.stringify({ fact: 'delivered', id: 'another', at: 1 });
  assert.equal(await ackOfRemoved(world, late, `${another}\n`), false);
});

/** Acknowledges while another process writes something before, and removes the task after. */
async function ackOfRemoved(world: World, task: Task, before: string): Promise<boolean> {
  const { writeSync } = fs;
  const log = world.logOf(task.id);
  let isDone = false;
  fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
    if (isDone || !String(args[1]).includes('"delivered"')) return Reflect.apply(writeSync, fs, args);
    isDone = true;
    fs.appendFileSync(log, before);
    const written = Reflect.apply(writeSync, fs, args);
    fs.rmSync(log);
    return written;
  }) as typeof writeSync;
  syncBuiltinESMExports();
  try {
    return await task.ack();
  } finally {
    assert.ok(isDone);
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
  }
}
