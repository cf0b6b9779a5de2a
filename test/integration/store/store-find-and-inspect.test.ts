import assert from 'node:assert/strict';
import { isAbsolute, resolve } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { OutliveError, type TaskSnapshot } from '../../../src/index.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

/** Git for Windows has no setsid. */
const away = onWindows ? '' : 'setsid ';

const hasCode = (code: string) => (error: unknown) => error instanceof OutliveError && error.code === code;

test('find: a name means the running task, else the newest, else one of another session; an id may be of any session', async () => {
  await using world = new World();
  const [session, other] = [await world.session('mine'), await world.session('other')];
  const store = await world.store();
  const ended = async (name: string): Promise<string> => (await session.run('true', { name })).task.id;
  const [, second] = [await ended('n'), await ended('n')];
  const theirs = await other.spawn('sleep 1000', { name: 'theirs' });
  assert.equal(store.find('n', 'mine').taskId, second);
  assert.equal(store.find(theirs.id, 'mine').taskId, theirs.id);
  // A beginning may have any length, up to the last but one character.
  for (const length of [11, 12, 14, theirs.id.length - 1])
    assert.equal(store.find(theirs.id.slice(0, length), 'nobody').taskId, theirs.id);
  // A name that only another session has is found there.
  assert.equal(store.find('theirs', 'mine').taskId, theirs.id);
  for (const reference of ['', 'bgb-', 'bgb-zzz', '../x', 'bgb-000000000000', theirs.id.toUpperCase()])
    assert.throws(() => store.find(reference, 'mine'), hasCode('TASK_NOT_FOUND'), reference);
  const running = await session.spawn('sleep 1000', { name: 'n' });
  assert.equal(store.find('n', 'mine').taskId, running.id);
  assert.equal(session.find('n').taskId, running.id);
  for (const reference of [running.id, running.id.slice(0, 11)])
    assert.equal(session.find(reference).taskId, running.id);
  for (const reference of [theirs.id, theirs.id.slice(0, 11), 'theirs', '', '../x'])
    assert.throws(() => session.find(reference), hasCode('TASK_NOT_FOUND'), reference);
  // A name that looks like an id's beginning is a name.
  const odd = await session.spawn('sleep 1000', { name: 'bgb-1' });
  assert.equal(store.find('bgb-1', 'mine').taskId, odd.id);
});

test('inspect: limits, shell, files, the spawner, the live processes, and the history of a task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${away}sleep 1000 & sleep 1001`, {
    graceMs: 5,
    timeoutMs: null,
    leftovers: 'kill',
  });
  const store = await world.store();
  const isGrown = async (): Promise<boolean> => {
    const pids = (await store.inspect(task.id)).processes.map(({ pid }) => pid);
    return pids.length >= 3 && isDeepStrictEqual(pids.toSorted(), world.pidsOf(task.id).toSorted());
  };
  await waitFor(isGrown, 'its processes');
  const { snapshot, shell, bounds, leftoversPolicy, spawnedBy, logPath, processes, history } =
    await store.inspect(task.id);
  assert.deepEqual(
    [snapshot.taskId, leftoversPolicy, logPath],
    [task.id, 'kill', resolve(world.logOf(task.id))],
  );
  assert.deepEqual([bounds.timeoutMs, bounds.graceMs, spawnedBy?.pid], [null, 5, process.pid]);
  assert.ok(isAbsolute(shell ?? ''));
  assert.ok(processes.length >= 3);
  // On Windows the shim is all that is known of a task by pid.
  assert.ok(onWindows || processes.every(({ pid }) => pid !== snapshot.shimPid));
  assert.deepEqual(
    history.slice(0, 2).map(({ fact }) => fact),
    ['spec', 'started'],
  );
  await task.kill({ graceMs: 0 });
  assert.deepEqual((await store.inspect(task.id)).processes, []);
  await assert.rejects(store.inspect('bgb-000000000000'), hasCode('TASK_NOT_FOUND'));
  await assert.rejects(
    store.inspect('bgb-000000000000'),
    /^OutliveError: expected a task of the store; found/,
  );
  await assert.rejects(store.inspect('bgb-000000000000', { sessionId: 'x' }), /a task of session "x"; found/);
  await assert.rejects(store.inspect('../../x'), hasCode('TASK_NOT_FOUND'));
});

test('tasks({ live }) are those that have not ended, of all sessions or of one', async () => {
  await using world = new World();
  const [one, two] = [await world.session('one'), await world.session('two')];
  const store = await world.store();
  await one.run('true');
  const [a, b] = [await one.spawn('sleep 1000'), await two.spawn('sleep 1000')];
  const ids = async (filter: Parameters<typeof store.tasks>[0]) =>
    (await store.tasks(filter)).map(({ taskId }) => taskId);
  assert.deepEqual(await ids({ live: true }), [a.id, b.id]);
  assert.deepEqual(await ids({ live: true, sessionId: 'two' }), [b.id]);
  assert.equal((await ids({})).length, 3);
  await a.kill({ graceMs: 0 });
  assert.deepEqual(await ids({ live: true }), [b.id]);
});

test('usage is that of whole trees, also of processes that left the group; tasks without live processes are left out', async () => {
  await using world = new World();
  const session = await world.session();
  const ended = await session.run('true');
  const quiet = await session.spawn('sleep 1000');
  const busy = await session.spawn(`${away}sh -c "echo on; while :; do :; done" & wait`);
  await busy.waitFor({ pattern: 'on' });
  const store = await world.store();
  const ids = [ended.task.id, quiet.id, busy.id, 'bgb-000000000000', 'x'];
  await waitFor(async () => {
    const usage = await store.usage(ids, { sampleMs: 50 });
    if ([...usage.keys()].some((id) => id !== quiet.id && id !== busy.id)) return false;
    const [idle, work] = [usage.get(quiet.id), usage.get(busy.id)];
    return work && idle && work.cpuPercent > 5 && idle.cpuPercent < work.cpuPercent && idle.memoryBytes > 0;
  }, 'the loop to be seen at work');
  const { processes } = (await store.usage([busy.id])).get(busy.id) ?? {};
  // The shim is one of them.
  assert.equal(processes, world.pidsOf(busy.id).length + (onWindows ? 0 : 1));
  assert.equal((await store.usage([])).size, 0);
  await assert.rejects(store.usage(ids, { sampleMs: 0 }), hasCode('INVALID_ARGUMENT'));
});

test('eachTask yields the tasks of tasks(), each once, one session after another', async () => {
  await using world = new World();
  const store = await world.store();
  for (const id of ['a', 'b']) {
    const session = await world.session(id);
    const { task } = await session.run('echo pending', { ack: false });
    for (let count = 0; count < 3; count += 1) await session.run('exit 3');
    await session.spawn('sleep 1000', { after: task.id });
  }
  const filters = [{}, { sessionId: 'a' }, { live: true }, { sessionId: 'nobody' }, { previewBytes: 0 }];
  for (const filter of filters) {
    const whole = await store.tasks(filter);
    const each: TaskSnapshot[] = [];
    for await (const task of store.eachTask(filter)) each.push(task);
    const idsOf = (tasks: typeof each): string[] => tasks.map(({ taskId }) => taskId).sort();
    assert.deepEqual(idsOf(each), idsOf(whole), JSON.stringify(filter));
    assert.ok(
      each.every(({ output }) => filter.previewBytes !== 0 || output.preview === ''),
      'no output is read',
    );
    const sessions = each.map(({ sessionId }) => sessionId);
    assert.deepEqual(sessions, sessions.toSorted());
  }
});

test('leaving eachTask early is possible, and it can start again', async () => {
  await using world = new World();
  const session = await world.session();
  for (let count = 0; count < 3; count += 1) await session.run('true');
  const store = await world.store();
  for (let round = 0; round < 2; round += 1) {
    let seen = 0;
    for await (const task of store.eachTask()) {
      assert.equal(task.status, 'completed');
      seen += 1;
      if (seen === 2) break;
    }
    assert.equal(seen, 2);
  }
});
