import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../../../src/api/store.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { prepareStore } from '../../../src/engine/store/store-folder.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { bsdSystem } from '../../../src/platform/macos/bsd.ts';
import { factOf, factsOf } from '../../support/logs.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { ShimInPlace, shimWithoutProc } from '../../support/shims.ts';
import { fixture, fixturePath, World, waitFor } from '../../support/world.ts';

const standIn = bsdSystem([process.execPath, fixturePath('ps-of-macos.mjs')]);

/** A store as on macOS: processes are told by `ps`. */
async function openStore(world: World): Promise<Store> {
  return new Store(storeAsItIs(await prepareStore(world.dir), standIn));
}

test('ps and /proc agree about a process, a tree and its usage', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('setsid sleep 1000 & sleep 1001 & echo ready; wait');
  await untilPrinted(task);
  const spec = factsOf(world.logOf(task.id)).find((fact) => fact.fact === 'spec');
  const { pid } = task.snapshot();
  assert.ok(pid && spec?.fact === 'spec');
  const own = standIn.view(process.pid);
  assert.deepEqual([own?.pid, own?.parent, own?.zombie], [process.pid, process.ppid, false]);
  const byPs = await standIn.members(spec.cookie, pid, null);
  const byProc = await linux.members(spec.cookie, pid, null);
  const pidsOf = (members: readonly { pid: number }[]): number[] =>
    members.map((member) => member.pid).sort((a, b) => a - b);
  assert.ok(byPs.length >= 3);
  assert.deepEqual(pidsOf(byPs), pidsOf(byProc));
  assert.equal(standIn.carries(pid, spec.cookie), true);
  assert.equal(standIn.carries(process.pid, spec.cookie), false);
  const used = (await standIn.usage()).filter((one) => one.cookie === spec.cookie);
  // The shim is so small that the system shows no memory of it.
  assert.ok(used.filter(({ memoryBytes }) => memoryBytes > 0).length >= 3);
  await task.kill({ graceMs: 0 });
  await waitFor(() => standIn.view(pid) === null, 'the shim to be gone');
});

test('a task ends with its exit code although the start times of its shim and command are unknown', async () => {
  await using world = new World();
  // Its shims see no /proc. Those of macOS ask the kernel.
  using _ = new ShimInPlace(shimWithoutProc(world));
  const store = await openStore(world);
  const session = await store.session('test');
  const task = await session.spawn('sleep 0.5; exit 7');
  const { status, exitCode } = await task.wait();
  assert.deepEqual([status, exitCode], ['failed', 7]);
  const { start, shimStart } = factOf(world.logOf(task.id), 'started');
  assert.deepEqual([start, shimStart], [null, null]);
  await store.close();
});

test('another process adopts a running task, and stops its whole tree', async () => {
  await using world = new World();
  using _ = new ShimInPlace(shimWithoutProc(world));
  const spawner = await openStore(world);
  const { id } = await (await spawner.session('test')).spawn(fixture('setsid-member.sh'));
  await untilStarted(world, id);
  await spawner.close();
  const store = await openStore(world);
  const task = (await store.session('test')).task(id);
  await untilPrinted(task);
  assert.equal(task.snapshot().status, 'running');
  const ended = await task.kill({ graceMs: 500 });
  assert.equal(ended.status, 'killed');
  assert.deepEqual(world.pidsOf(id), []);
  await store.close();
});
