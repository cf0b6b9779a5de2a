import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

test('a listing with a measurement has the same tasks as one without', async () => {
  await using world = new World();
  const session = await world.session();
  const store = await world.store();
  await session.run('echo well; exit 3');
  const killed = await session.spawn('sleep 1000');
  await killed.kill({ graceMs: 0 });
  await session.spawn('echo much; sleep 1000');
  if (!onWindows) {
    const stopped = await session.spawn('kill -STOP $$; sleep 1000');
    const suspended = () => stopped.snapshot().statusReason === 'suspended';
    await waitFor(suspended, 'the suspension of the command alone');
  }
  const told = async (filter: Parameters<typeof store.tasks>[0] = {}) =>
    (await store.tasks(filter)).map(({ taskId, status, statusReason, exitCode, output }) => ({
      taskId,
      status,
      statusReason,
      exitCode,
      bytes: output.bytes,
    }));
  await waitFor(async () => (await told()).every(({ status }) => status !== 'starting'), 'all to run');
  const meter = await store.meter();
  assert.deepEqual(await told({ meter }), await told());
  assert.deepEqual(await told({ meter, live: true }), await told({ live: true }));
});

test('a task that ends after the measurement has begun is listed as it ended', async () => {
  await using world = new World();
  const session = await world.session();
  const go = join(world.base, 'go');
  const task = await session.spawn('until [ -e "$GO" ]; do sleep 0.01; done; exit 5', { env: { GO: go } });
  const store = await world.store();
  const meter = await store.meter();
  writeFileSync(go, '');
  await task.wait();
  const [seen] = await store.tasks({ meter });
  assert.deepEqual([seen?.status, seen?.exitCode], ['failed', 5]);
});

test('previewBytes says how much of the output a listing has', async () => {
  await using world = new World();
  const session = await world.session();
  await session.run('printf 0123456789');
  const store = await world.store();
  const preview = async (previewBytes: number) => {
    const [task] = await store.tasks({ previewBytes });
    return [task?.output.preview, task?.output.truncated, task?.output.bytes];
  };
  assert.deepEqual(await preview(100), ['0123456789', false, 10]);
  assert.deepEqual(await preview(4), ['6789', true, 10]);
  assert.deepEqual(await preview(0), ['', true, 10]);
  await assert.rejects(preview(-1), { code: 'INVALID_ARGUMENT' });
});
