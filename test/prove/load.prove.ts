import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { scaled, shareMs } from '../support/load/budget.ts';
import { plotSamples, tellFigure } from '../support/load/figures.ts';
import { Gauge, heapGrowth } from '../support/load/gauge.ts';
import { spawnWaiting, takeAll, throughSlots } from '../support/load/many.ts';
import { World } from '../support/world.ts';

const slots = 50;

test('5,000 tasks through 50 slots end correctly, and the supervisor has not grown', async (t) => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { node: ['--expose-gc'] });
  // The code is compiled and every table has grown before anything counts.
  await throughSlots(agent, 200, slots, shareMs(0.2));
  let done = 0;
  const gauge = new Gauge(agent, () => done);
  await gauge.start(500);
  const counting = setInterval(() => {
    void agent
      .run(({ kept }) => kept.done as number)
      .then((now) => {
        done = now;
      });
  }, 500);
  const result = await throughSlots(agent, 5_000, slots, shareMs(0.6));
  clearInterval(counting);
  done = result.done;
  await gauge.stop();
  const [first, last] = [gauge.samples[0], gauge.samples.at(-1)];
  assert.ok(first && last);
  // In the first half code is still being compiled, again and again; a leak goes on in the second.
  const heapBytes = heapGrowth(gauge.samples.slice(gauge.samples.length / 2)) / (result.done / 2);
  const rate = (result.done * 1000) / result.ms;
  tellFigure(
    t,
    `${result.done} of 5,000 tasks through ${slots} slots: ${rate.toFixed(0)} tasks/s, and ` +
      `${heapBytes.toFixed(0)} bytes of heap more for each that ended in the second half; descriptors ${first.descriptors} before, ` +
      `${last.descriptors} after`,
  );
  plotSamples('slots', `${result.done} tasks through ${slots} slots`, gauge.samples);
  assert.deepEqual(result.wrong, []);
  assert.ok(heapBytes < 150, `the heap grew by ${heapBytes.toFixed(0)} bytes for each task that has ended`);
  assert.ok(last.descriptors <= first.descriptors, `${last.descriptors} descriptors`);
  assert.equal(await agent.run(async ({ session }) => (await session.pending()).length), 0);
});

test('1,000 tasks at once run side by side, and the end of each is told once', async (t) => {
  await using world = new World();
  const count = scaled(1_000, 30);
  await using agent = await Agent.start(world.dir, {
    node: ['--expose-gc'],
    session: { maxRunning: count },
  });
  await throughSlots(agent, 100, slots, shareMs(0.1));
  const gauge = new Gauge(agent);
  const before = await gauge.look();
  const pipe = join(world.base, 'go');
  execFileSync('mkfifo', [pipe]);
  // Open for both, the pipe keeps the lines until they are read.
  const go = openSync(pipe, constants.O_RDWR);
  try {
    const spawnedMs = await spawnWaiting(agent, count, pipe);
    const running = await gauge.look();
    const heapKib = ((running.heapMb - before.heapMb) * 1e6) / 1024 / count;
    writeSync(go, '\n'.repeat(count));
    const { done, wrong, ms } = await takeAll(agent);
    await gauge.stop();
    const after = await gauge.look();
    tellFigure(
      t,
      `${count} tasks at once: spawned in ${(spawnedMs / 1000).toFixed(1)} s, ${heapKib.toFixed(1)} KiB of heap a ` +
        `task while they run; all ends told and acknowledged in ${(ms / 1000).toFixed(1)} s; descriptors ` +
        `${before.descriptors}, ${running.descriptors}, ${after.descriptors}`,
    );
    assert.deepEqual([done, wrong], [count, []]);
    assert.ok(heapKib < 10, `${heapKib.toFixed(1)} KiB of heap a running task`);
    assert.ok(running.descriptors - before.descriptors < 10, 'no descriptor a task');
    assert.ok(after.descriptors <= before.descriptors, `${after.descriptors} descriptors`);
    assert.ok(
      (after.heapMb - before.heapMb) * 1e6 < 1e6 + 200 * count,
      'an ended task holds next to nothing',
    );
  } finally {
    closeSync(go);
  }
});
