import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { SmallDisk } from '../../support/small-disk.ts';
import { World } from '../../support/world.ts';

test('an outcome that does not fit on the disk is told at once, and written when there is room', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent();
  const snapshot = await agent.run(
    async ({ session, fs, childProcess, store }, { command, fill, go }) => {
      const task = await session.spawn(command);
      const file = fs
        .readdirSync(store.dir, { recursive: true, encoding: 'utf8' })
        .find((path) => path.endsWith(`${task.id}.jsonl`));
      while (task.snapshot().status !== 'running') await new Promise((next) => setTimeout(next, 5));
      childProcess.spawnSync('sh', ['-c', fill]);
      // Garbage takes the room that was kept for the end.
      childProcess.spawnSync('sh', ['-c', `head -c 5000 /dev/zero >>${store.dir}/${file}`]);
      fs.writeFileSync(go, '');
      return await task.wait({ ack: false });
    },
    { command: disk.waiting('exit 7'), fill: disk.fill, go: join(world.base, 'go') },
  );
  assert.deepEqual([snapshot.status, snapshot.exitCode], ['failed', 7]);
  await agent.run(({ fs }, path) => fs.rmSync(path), join(disk.mount, 'filler'));
  await using other = await disk.join(agent);
  const later = await other.run(
    async ({ session }, id) => await session.task(id).wait({ ack: false }),
    snapshot.taskId,
  );
  assert.deepEqual([later.status, later.exitCode], ['failed', 7]);
});

test('a shim whose last fact does not fit on the disk sleeps between tries, and ends when it fits', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent();
  const sleeps = await agent.run(
    async ({ session, fs, childProcess, store }, { command, fill, go, filler }) => {
      const pause = () => new Promise((next) => setTimeout(next, 5));
      const task = await session.spawn(command);
      while (task.snapshot().status !== 'running') await pause();
      const { shimPid } = task.snapshot();
      childProcess.spawnSync('sh', ['-c', fill]);
      const log = fs
        .readdirSync(store.dir, { recursive: true, encoding: 'utf8' })
        .find((path) => path.endsWith(`${task.id}.jsonl`));
      childProcess.spawnSync('sh', ['-c', `head -c 5000 /dev/zero >>${store.dir}/${log}`]);
      fs.writeFileSync(go, '');
      await task.wait({ ack: false });
      // It has told the end by its doorbell, and cannot write it.
      const state = (): string | undefined =>
        fs.existsSync(`/proc/${shimPid}`)
          ? fs.readFileSync(`/proc/${shimPid}/stat`, 'utf8').split(') ')[1]?.[0]
          : undefined;
      let asleep = 0;
      for (let looks = 0; looks < 1_000 && asleep < 5; looks += 1) {
        asleep = state() === 'S' ? asleep + 1 : 0;
        await pause();
      }
      // Nobody else can make room on this disk: without it the shim would try for ever.
      fs.rmSync(filler);
      while (![undefined, 'Z'].includes(state())) await pause();
      return asleep === 5;
    },
    {
      command: disk.waiting('exit 7'),
      fill: disk.fill,
      go: join(world.base, 'go'),
      filler: join(disk.mount, 'filler'),
    },
  );
  assert.equal(sleeps, true);
});
