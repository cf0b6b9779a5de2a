import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Store } from '../../../src/api/store.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { prepareStore } from '../../../src/engine/store/store-folder.ts';
import { windowsParts } from '../../../src/engine/windows/parts.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import { factOf } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { ShimInPlace, shimWithoutLimits } from '../../support/shims.ts';
import { World } from '../../support/world.ts';

/** The shim of Windows holds no limits by itself. */
const shimOfWindows = (world: World): ShimInPlace | null =>
  onWindows ? null : new ShimInPlace(shimWithoutLimits(world));

/** A store whose limits are held by this process, as on Windows, wherever the test runs. */
async function openStore(world: World): Promise<Store> {
  return new Store(
    storeAsItIs(await prepareStore(world.dir), await currentSystem(), { windows: windowsParts(null) }),
  );
}

test('a supervisor stops a flood, also of a task that another process spawned', async () => {
  await using world = new World();
  using _ = shimOfWindows(world);
  await using first = await openStore(world);
  const session = await first.session('test');
  const limit = { maxOutputBytes: 1_000_000, graceMs: 100 };
  const task = await session.spawn('yes | head -c 100M; sleep 1000', limit);
  const { status, statusReason } = await task.wait({ timeoutMs: 15_000 });
  assert.deepEqual([status, statusReason], ['killed', 'output_limit']);
  assert.equal(factOf(world.logOf(task.id), 'stop').by?.pid, process.pid);
  const other = await session.spawn('sleep 1; yes | head -c 100M; sleep 1000', limit);
  await session.close();
  await using second = await openStore(world);
  const end = await (await second.session('test')).task(other.id).wait({ timeoutMs: 15_000 });
  assert.deepEqual([end.status, end.statusReason], ['killed', 'output_limit']);
  assert.equal(factOf(world.logOf(other.id), 'stop').by?.pid, process.pid);
});

test('a supervisor stops a task whose time is up, and one whose bound process is gone', async (t) => {
  await using world = new World();
  using _ = shimOfWindows(world);
  await using store = await openStore(world);
  const session = await store.session('test');
  const timed = await session.spawn('sleep 1000', { timeoutMs: 300, graceMs: 100 });
  const other = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  t.after(() => other.kill('SIGKILL'));
  const bound = await session.spawn('sleep 1000', { bindTo: { pid: other.pid ?? 0 }, graceMs: 100 });
  assert.equal((await timed.wait({ timeoutMs: 15_000 })).statusReason, 'timeout');
  assert.equal(factOf(world.logOf(timed.id), 'stop').by?.pid, process.pid);
  assert.equal(bound.snapshot().endedAt, null);
  const gone = once(other, 'exit');
  other.kill('SIGKILL');
  await gone;
  assert.equal((await bound.wait({ timeoutMs: 15_000 })).statusReason, 'bound');
  assert.equal(factOf(world.logOf(bound.id), 'stop').by?.pid, process.pid);
});
