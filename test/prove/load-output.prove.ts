import assert from 'node:assert/strict';
import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { scaled, shareMs } from '../support/load/budget.ts';
import { tellFigure } from '../support/load/figures.ts';
import { Gauge } from '../support/load/gauge.ts';
import { World, waitFor } from '../support/world.ts';

const [atATime, eachMb, keptMb] = [4, 100, 1];

test('10 GB of output pass through four tasks at a time, and disk and memory use stay bounded', async (t) => {
  await using world = new World();
  const { bavail, bsize } = statfsSync(world.base);
  assert.ok(bavail * bsize > 5e9, 'expected 5 GB of free disk, to write a tenth of it at a time');
  const wanted = scaled(100, 50);
  await using agent = await Agent.start(world.dir, { node: ['--expose-gc'] });
  const flood = async (count: number, limitMs: number) =>
    await agent.run(
      async ({ session, kept }, limits) => {
        const begin = performance.now();
        const wrong: string[] = [];
        let [next, done] = [0, 0];
        const slot = async (): Promise<void> => {
          while (next < limits.count && performance.now() - begin < limits.limitMs) {
            next += 1;
            const command = `yes 'a line of output that says nothing' | head -c ${limits.eachBytes}; echo; echo end`;
            const task = await session.spawn(command, { keepOutputBytes: limits.keptBytes });
            const { status } = await task.wait();
            const { text, size } = await task.tail({ maxBytes: 4 });
            if (status !== 'completed' || text !== 'end\n' || size !== limits.eachBytes + 5) {
              wrong.push(`${task.id} ${status} ${size} ${text}`);
            }
            done += 1;
            kept.done = done;
          }
        };
        await Promise.all(Array.from({ length: limits.atATime }, slot));
        return { done, wrong, ms: performance.now() - begin };
      },
      { count, limitMs, atATime, eachBytes: eachMb * 1e6, keptBytes: keptMb * 1e6 },
    );
  await flood(atATime, shareMs(1));
  const gauge = new Gauge(agent);
  const before = await gauge.look();
  let mostBytes = 0;
  const looking = setInterval(() => {
    mostBytes = Math.max(mostBytes, outputBytes(world));
  }, 100);
  const { done, wrong, ms } = await flood(wanted, shareMs(0.8));
  clearInterval(looking);
  // Telling of an end does not wait for its output to be cut.
  await waitFor(
    () => outputBytes(world) <= (done + atATime) * keptMb * 1.1e6,
    'all output to be cut',
    60_000,
  );
  await gauge.stop();
  const after = await gauge.look();
  const gigabytes = (done * eachMb) / 1000;
  tellFigure(
    t,
    `${gigabytes.toFixed(1)} GB of output by ${done} tasks, ${atATime} at a time: ${(gigabytes / (ms / 1000)).toFixed(2)} ` +
      `GB/s; at most ${(mostBytes / 1e6).toFixed(0)} MB on disk, ${(outputBytes(world) / 1e6).toFixed(0)} MB afterwards; ` +
      `memory of the supervisor ${before.memoryMb.toFixed(0)} MB before, ${after.memoryMb.toFixed(0)} MB after`,
  );
  assert.deepEqual(wrong, []);
  // What has ended waits for its turn to be cut, which takes the longer the busier the machine is.
  assert.ok(mostBytes < 3e9, `${mostBytes} bytes on disk at once`);
  assert.ok(after.memoryMb - before.memoryMb < 30, 'output does not pass through the supervisor');
  assert.ok(
    after.descriptors <= before.descriptors,
    `${after.descriptors} descriptors, ${before.descriptors} before`,
  );
});

test('a flood without an end is stopped at its limit, with and without its supervisor', async (t) => {
  for (const isWatched of [true, false]) {
    await using world = new World();
    await using agent = await Agent.start(world.dir);
    const limit = 200e6;
    const taskId = await agent.run(async ({ session }, maxOutputBytes) => {
      return (await session.spawn('exec yes', { maxOutputBytes, keepOutputBytes: 1e6 })).id;
    }, limit);
    if (!isWatched) await agent.crash();
    const store = await world.store();
    let most = 0;
    await waitFor(() => {
      most = Math.max(most, outputBytes(world));
      assert.ok(most < 6e9, 'the disk is not to be filled');
      return store.task(taskId).snapshot().endedAt !== null;
    }, 'the flood to be stopped');
    const { statusReason } = store.task(taskId).snapshot();
    tellFigure(
      t,
      `a flood with a limit of 200 MB, ${isWatched ? 'watched' : 'its supervisor killed'}: stopped at ` +
        `${(most / 1e6).toFixed(0)} MB`,
    );
    assert.equal(statusReason, 'output_limit');
  }
});

function outputBytes(world: World): number {
  const outputs = world.files().filter((path) => /\/output\//.test(path));
  return outputs.reduce((sum, path) => {
    const stats = statSync(join(world.dir, path), { throwIfNoEntry: false });
    return sum + (stats ? stats.blocks * 512 : 0);
  }, 0);
}
