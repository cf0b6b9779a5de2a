import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type OutliveError, openStore, type StoreEvent } from '../../../src/index.ts';
import { factOf } from '../../support/logs.ts';
import { Viewer } from '../../support/monitor/viewer.ts';
import { World, waitFor } from '../../support/world.ts';

const isInvalid = (error: OutliveError): boolean => error.code === 'INVALID_ARGUMENT';

test('a viewer is told all tasks, and then of each task from its start to its removal', async () => {
  await using world = new World();
  const session = await world.session('one');
  const { task: before } = await session.run('exit 3');
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ abortSignal: viewer.over.signal }));
  await waitFor(() => viewer.tasks.has(before.id), 'the snapshot');
  assert.deepEqual([...viewer.sessions], ['one']);
  const other = await world.session('other');
  const task = await other.spawn('sleep 1000');
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'running', 'its start');
  assert.ok(viewer.sessions.has('other'));
  await task.kill({ graceMs: 0 });
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'killed', 'its end');
  assert.equal(viewer.tasks.get(task.id)?.output.preview, '');
  await task.ack();
  await waitFor(() => viewer.tasks.get(task.id)?.delivered === true, 'its acknowledgement');
  await session.prune({ olderThanMs: 0 });
  await waitFor(() => !viewer.tasks.has(before.id), 'its removal');
  await viewer.knows(store);
  await viewer.close();
});

test('a viewer of one session is told of no other session, and of its session when it is made', async () => {
  await using world = new World();
  const store = await world.store();
  const viewer = new Viewer();
  viewer.read(store.watch({ sessionId: 'mine', abortSignal: viewer.over.signal }));
  await waitFor(() => viewer.events.length > 0, 'the snapshot');
  await (await world.session('other')).run('true');
  const { task } = await (await world.session('mine')).run('true');
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'completed', 'the task');
  assert.deepEqual([[...viewer.sessions], viewer.tasks.size], [['mine'], 1]);
  await viewer.close();
});

test('a viewer of live tasks is told the end of each task that it was told of, and nothing after that', async () => {
  await using world = new World();
  const session = await world.session();
  await session.run('true');
  const task = await session.spawn('sleep 1000');
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ live: true, abortSignal: viewer.over.signal }));
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'running', 'the task that runs');
  assert.equal(viewer.tasks.size, 1);
  await task.kill({ graceMs: 0 });
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'killed', 'its end');
  const told = viewer.events.length;
  await task.ack();
  await session.prune({ olderThanMs: 0 });
  const next = await session.spawn('sleep 1000');
  await waitFor(() => viewer.tasks.get(next.id)?.status === 'running', 'the next one');
  const later = viewer.events
    .slice(told)
    .map((event) => (event.type === 'changed' ? event.task.taskId : event.type));
  assert.ok(!later.includes(task.id) && !later.includes('gone'), JSON.stringify(later));
  await next.kill({ graceMs: 0 });
  await viewer.close();
});

test('a viewer learns that the shim of a task was killed, although that is written nowhere', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  await waitFor(() => task.snapshot().status === 'running', 'its start');
  await session.close();
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ abortSignal: viewer.over.signal }));
  await waitFor(() => viewer.tasks.size === 1, 'the snapshot');
  const log = readFileSync(world.logOf(task.id));
  process.kill(factOf(world.logOf(task.id), 'started').shimPid, 'SIGKILL');
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'lost', 'the loss');
  assert.deepEqual(readFileSync(world.logOf(task.id)), log, 'nothing is settled');
  await viewer.close();
});

test('with a preview a viewer is told of a task that writes more, once a second at most', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done');
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ previewBytes: 100, abortSignal: viewer.over.signal }));
  const shown = (): number =>
    Number(/line (\d+)\n/.exec(viewer.tasks.get(task.id)?.output.preview ?? '')?.[1] ?? 0);
  await waitFor(() => shown() > 0, 'the first lines');
  const [first, told] = [shown(), viewer.events.length];
  await waitFor(() => shown() > first, 'more lines');
  assert.ok(viewer.events.length - told <= 3);
  await task.kill({ graceMs: 0 });
  await viewer.close();
});

test('a store that does not exist yet is watched until it is made', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir, readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ abortSignal: viewer.over.signal }));
  await waitFor(() => viewer.events.length > 0, 'an empty snapshot');
  const { task } = await (await world.session()).run('true');
  await waitFor(() => viewer.tasks.get(task.id)?.status === 'completed', 'the task');
  await viewer.close();
  await store.close();
});

test('leaving the loop, or an abort, ends the watch; invalid options are refused', async () => {
  await using world = new World();
  const store = await world.store();
  for await (const event of store.watch()) {
    assert.equal(event.type, 'snapshot');
    break;
  }
  const aborted: StoreEvent[] = [];
  for await (const event of store.watch({ abortSignal: AbortSignal.abort() })) aborted.push(event);
  assert.deepEqual(aborted, []);
  const wrong = [
    { sessionId: '' },
    { live: 1 },
    { previewBytes: -1 },
    { usage: 1 },
    { abortSignal: {} },
    { liv: true },
  ];
  for (const options of wrong) await assert.rejects(store.watch(options as object).next(), isInvalid);
});
