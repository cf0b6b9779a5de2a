import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchStore } from '../../../src/api/watch-store.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import { Viewer } from '../../support/monitor/viewer.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** On a machine that is busy samples are far apart: they take at most 2 % of a core. */
const patienceMs = 120_000;

const busyLoop = 'while :; do :; done';
const newest = (viewer: Viewer) => viewer.usages.at(-1) ?? {};

test(
  'a viewer that asks for usage is told what the process trees use, and an empty usage after the last end',
  notOnWindows('Wine reports no CPU time of git-bash programs'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const { task: ended } = await session.run('true');
    const quiet = await session.spawn('sleep 1000');
    const busy = await session.spawn(`sh -c "${busyLoop}" & wait`);
    const store = await world.store({ readOnly: true });
    const viewer = new Viewer();
    viewer.read(store.watch({ usage: true, abortSignal: viewer.over.signal }));
    await waitFor(
      () => {
        const [idle, work] = [newest(viewer)[quiet.id], newest(viewer)[busy.id]];
        return work && idle && work.cpuPercent > 5 && idle.cpuPercent < work.cpuPercent;
      },
      'the loop to be seen at work',
      patienceMs,
    );
    const work = newest(viewer)[busy.id];
    // The shim is one of them.
    assert.equal(work?.processes, world.pidsOf(busy.id).length + (onWindows ? 0 : 1));
    assert.ok(work.memoryBytes > 100_000, `${work.memoryBytes}`);
    assert.equal(newest(viewer)[ended.id], undefined);
    // A task that comes later is measured as well.
    const later = await session.spawn(busyLoop);
    await waitFor(
      () => (newest(viewer)[later.id]?.cpuPercent ?? 0) > 5,
      'the later one to be seen',
      patienceMs,
    );
    for (const task of [quiet, busy, later]) await task.kill({ graceMs: 0 });
    await waitFor(() => Object.keys(newest(viewer)).length === 0, 'an empty usage', patienceMs);
    assert.equal(viewer.events[0]?.type, 'snapshot');
    await viewer.close();
  },
);

test('a viewer of one session is told only the usage of that session', async () => {
  await using world = new World();
  const mine = await (await world.session('mine')).spawn('sleep 1000');
  await (await world.session('other')).spawn('sleep 1000');
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ sessionId: 'mine', live: true, usage: true, abortSignal: viewer.over.signal }));
  await waitFor(() => viewer.usages.some((usage) => mine.id in usage), 'the usage', patienceMs);
  for (const usage of viewer.usages) assert.deepEqual(Object.keys(usage), [mine.id]);
  await viewer.close();
});

test('with the usage a viewer is told on which ports tasks listen', {
  skip: process.platform === 'darwin',
}, async () => {
  await using world = new World();
  const session = await world.session();
  const quiet = await session.spawn('sleep 1000');
  const server = await session.spawn(`${fixture('listens.mjs')} & wait`);
  const { port } = await server.waitFor({ port: true });
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ usage: true, abortSignal: viewer.over.signal }));
  const told = (): [string, number[]][] => {
    const last = viewer.events.findLast((event) => event.type === 'usage');
    const ports = Object.entries(last?.type === 'usage' ? last.ports : {});
    return ports.map(([taskId, found]) => [taskId, found.map((one) => one.port)]);
  };
  await waitFor(() => told().length > 0, 'the port to be told', patienceMs);
  assert.deepEqual(told(), [[server.id, [port?.port]]]);
  await server.kill({ graceMs: 0 });
  await waitFor(() => told().length === 0, 'the port to be gone', patienceMs);
  assert.ok(quiet.id in (viewer.usages.at(-1) ?? {}));
  await viewer.close();
});

test('the leftovers of an ended task are measured', { skip: onWindows }, async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run(`sh -c "${busyLoop}" & exit 0`, { leftovers: 'report' });
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ usage: true, abortSignal: viewer.over.signal }));
  await waitFor(
    () => (newest(viewer)[task.id]?.cpuPercent ?? 0) > 5,
    'the loop to be seen at work',
    patienceMs,
  );
  await task.kill({ graceMs: 0 });
  await viewer.close();
});

test('several viewers share one sampling, which stops when the last one leaves', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  await waitFor(() => task.snapshot().status === 'running', 'its start');
  const system = await currentSystem();
  let samples = 0;
  const counted = {
    ...system,
    usage: async () => {
      samples += 1;
      return await system.usage();
    },
  };
  const context = storeAsItIs(world.dir, counted);
  const [one, two] = [new Viewer(), new Viewer()];
  one.read(watchStore(context, { usage: true, abortSignal: one.over.signal }));
  two.read(watchStore(context, { usage: true, abortSignal: two.over.signal }));
  await waitFor(() => one.usages.length >= 2 && two.usages.length >= 2, 'usage for both', patienceMs);
  assert.ok(
    samples <= Math.max(one.usages.length, two.usages.length) + 2,
    `${samples} samples for ${one.usages.length} and ${two.usages.length} tellings`,
  );
  await one.close();
  const told = two.usages.length;
  await waitFor(() => two.usages.length > told, 'the other to be told on', patienceMs);
  // Who comes later is told at once what the last sample has found.
  const late = new Viewer();
  const before = samples;
  late.read(watchStore(context, { usage: true, abortSignal: late.over.signal }));
  await waitFor(() => late.usages.length > 0, 'the late one to be told', patienceMs);
  assert.ok(samples <= before + 1, `${samples - before} samples`);
  await two.close();
  await late.close();
  const over = samples;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.equal(samples, over, 'nobody listens, and nothing is measured');
  const again = new Viewer();
  again.read(watchStore(context, { usage: true, abortSignal: again.over.signal }));
  await waitFor(() => again.usages.length > 0, 'usage for one who comes after the pause', patienceMs);
  await again.close();
});

test('a viewer of usage learns with the next sample that a task was suspended', {
  skip: onWindows,
}, async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  const store = await world.store({ readOnly: true });
  const viewer = new Viewer();
  viewer.read(store.watch({ usage: true, abortSignal: viewer.over.signal }));
  await waitFor(() => task.id in newest(viewer), 'the first usage', patienceMs);
  const [pid] = world.pidsOf(task.id);
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGSTOP');
  const reason = () => viewer.tasks.get(task.id)?.statusReason;
  await waitFor(() => reason() === 'suspended', 'the suspension', 10_000);
  process.kill(pid, 'SIGCONT');
  await waitFor(() => reason() === null, 'its end', 10_000);
  await task.kill({ graceMs: 0 });
  await viewer.close();
});
