import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { SmallDisk } from '../../support/small-disk.ts';
import { World } from '../../support/world.ts';

const moments = ['before the spawn', 'when it was answered', 'while it runs', 'before the acknowledgement'];

test('a disk that fills up at any moment of a task loses no exit code, and acknowledgements hold once there is room', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent('test', { diskReserveBytes: null });
  const found = await agent.run(
    async ({ session, childProcess, fs }, { names, fill, filler }) => {
      const lives: unknown[] = [];
      for (const [n] of names.entries()) {
        const full = (moment: number): void => {
          if (moment === n) childProcess.spawnSync('sh', ['-c', fill]);
        };
        full(0);
        const go = `${filler}.go`;
        const command = `echo ready; until [ -e ${go} ]; do sleep 0.02; done; exit 3`;
        const task = await session.spawn(command).catch((error: { code: string }) => error.code);
        full(1);
        if (typeof task === 'string') lives.push(task);
        else {
          while (task.snapshot().status === 'starting') await new Promise((next) => setTimeout(next, 5));
          full(2);
          // An inode is all that it takes.
          fs.writeFileSync(go, '');
          const { exitCode } = await task.wait({ ack: false });
          full(3);
          lives.push([exitCode, await task.ack(), await task.ack(), (await session.pending()).length]);
          fs.rmSync(go);
        }
        fs.rmSync(filler);
      }
      return lives;
    },
    { names: moments, fill: disk.fill, filler: join(disk.mount, 'filler') },
  );
  assert.deepEqual(found[0], 'STORE_UNWRITABLE');
  for (const [n, life] of found.entries()) if (n > 0) assert.deepEqual(life, [3, true, false, 0], moments[n]);
  await using other = await disk.join(agent);
  const seen = await other.run(async ({ session }) => {
    // What could not be written is tried again each second, by the process that lives.
    for (let tries = 0; tries < 600 && (await session.pending()).length > 0; tries += 1)
      await new Promise((next) => setTimeout(next, 5));
    return (await session.tasks()).map(({ exitCode, delivered }) => [exitCode, delivered]);
  });
  assert.deepEqual(seen, [
    [3, true],
    [3, true],
    [3, true],
  ]);
});
