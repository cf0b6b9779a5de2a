import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { test } from 'node:test';
import { OutliveError } from '../../../src/index.ts';
import { listing } from '../../support/listing.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { SmallDisk } from '../../support/small-disk.ts';
import { World } from '../../support/world.ts';

test(
  'on a nearly full disk a spawn is refused with the name of the largest growing task, and leaves nothing',
  notOnWindows('unshare and mount make a small disk'),
  async () => {
    await using world = new World();
    const disk = new SmallDisk(world, '16m');
    await using agent = await disk.agent();
    const result = await agent.run(async ({ store, session, OutliveError: Ours }) => {
      await (await session.spawn('true')).wait();
      const other = await store.session('other "one"');
      const fill = 'head -c 16000000 /dev/zero; sleep 1000';
      const little = await session.spawn('echo little; sleep 1000');
      const tasks = [await other.spawn(fill), little];
      // Written and ended: it does not grow.
      while ((tasks[0]?.snapshot().output.bytes ?? 0) < 16_000_000)
        await new Promise((r) => setTimeout(r, 5));
      const before = await store.tasks();
      const error = await session.spawn('echo ran').catch((reason: unknown) => reason);
      const after = await store.tasks();
      // Nobody else sees this disk.
      for (const task of tasks) await task.kill({ graceMs: 100 });
      const told = error instanceof Ours ? { ...error, message: error.message } : null;
      return { told, largest: tasks[0]?.id, before: before.length, after: after.length };
    });
    assert.equal(result.told?.code, 'DISK_LOW');
    assert.equal(result.after, result.before);
    const { freeBytes, reserveBytes, largest } = result.told.details as Record<string, number | object>;
    assert.ok(Number(freeBytes) < Number(reserveBytes));
    // 5 % of 16 MiB: the default of 1 GiB would let nothing run there.
    assert.equal(reserveBytes, Math.ceil((16 * 1024 ** 2) / 20));
    assert.deepEqual(largest, { taskId: result.largest, sessionId: 'other "one"', bytes: 16_000_000 });
    assert.match(result.told.message, new RegExp(`${result.largest}.*Nothing was started`));
  },
);

test('the reserve can be set, or switched off', async () => {
  await using world = new World();
  const { bavail, bsize } = statfsSync(world.base);
  const much = await world.session('test', { store: { diskReserveBytes: bavail * bsize * 2 } });
  const before = listing(world.dir);
  await assert.rejects(
    much.spawn('true'),
    (error) => error instanceof OutliveError && error.code === 'DISK_LOW',
  );
  assert.deepEqual(listing(world.dir), before);
  const none = await world.session('test', { store: { diskReserveBytes: null } });
  assert.ok((await none.run('true')).ended);
  const bad = world.store({ diskReserveBytes: -1 });
  await assert.rejects(bad, { code: 'INVALID_ARGUMENT' });
});

test(
  'once there is room again a spawn succeeds',
  notOnWindows('unshare and mount make a small disk'),
  async () => {
    await using world = new World();
    const disk = new SmallDisk(world, '16m');
    await using agent = await disk.agent();
    const refused = await agent.run(async ({ session, fs }) => {
      const task = await session.spawn('head -c 16000000 /dev/zero');
      await task.wait();
      const code = await session.spawn('true').catch((error: { code: string }) => error.code);
      // A shim has the output open for a moment after the end.
      const isShim = (pid: string): boolean => {
        try {
          return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(task.id);
        } catch {
          return false;
        }
      };
      while (fs.readdirSync('/proc').some(isShim)) await new Promise((next) => setTimeout(next, 5));
      return code;
    });
    assert.equal(refused, 'DISK_LOW');
    const ended = await agent.run(async ({ session }) => {
      await session.prune({ olderThanMs: 0 });
      return (await session.run('true')).ended;
    });
    assert.ok(ended);
  },
);
