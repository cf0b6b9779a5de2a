import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SmallDisk } from '../../support/small-disk.ts';
import { World } from '../../support/world.ts';

test('on a disk without inodes a spawn is refused and leaves nothing, running tasks go on, and room helps', async () => {
  await using world = new World();
  const disk = new SmallDisk(world, '4m,nr_inodes=32');
  await using agent = await disk.agent('test', { diskReserveBytes: null });
  const found = await agent.run(async ({ session, fs, store }, command) => {
    const running = await session.spawn(command);
    // Its shim has made the output.
    while (running.snapshot().startedAt === null) await new Promise((resolve) => setTimeout(resolve, 5));
    const fillers: string[] = [];
    try {
      for (;;) {
        const path = `${store.dir}/../filler-${fillers.length}`;
        fs.writeFileSync(path, '');
        fillers.push(path);
      }
    } catch {
      // That was the last.
    }
    const names = (): string[] => (fs.readdirSync(store.dir, { recursive: true }) as string[]).sort();
    const before = names();
    const refused = await session.spawn('true').then(
      () => 'none',
      (error: { code: string }) => error.code,
    );
    const left = names().filter((name) => !before.includes(name));
    const { exitCode } = await session.run('touch none').then(
      () => ({ exitCode: null }),
      () => ({ exitCode: 0 }),
    );
    // Room for one file, the record: the shim has none for the output.
    fs.unlinkSync(fillers.pop() as string);
    const { status, statusReason, spawnError } = await session.spawn('echo none').then((task) => task.wait());
    for (const path of fillers) fs.unlinkSync(path);
    return { refused, left, exitCode, id: running.id, unread: [status, statusReason, spawnError] };
  }, disk.waiting('exit 3'));
  assert.deepEqual([found.refused, found.left, found.exitCode], ['STORE_UNWRITABLE', [], 0]);
  assert.deepEqual(found.unread, ['failed', 'spawn_aborted', 'ENOSPC']);
  disk.go();
  const after = await agent.run(
    async ({ session }, id) => [
      (await session.task(id).wait()).exitCode,
      (await session.run('exit 4')).snapshot.exitCode,
    ],
    found.id,
  );
  assert.deepEqual(after, [3, 4]);
});
