import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { Gauge } from '../support/load/gauge.ts';
import { spawnWaiting, takeAll, throughSlots } from '../support/load/many.ts';
import { useForAMinute } from '../support/load/use.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { onWindows } from '../support/processes.ts';
import { World } from '../support/world.ts';

// What test/prove/load*.prove.ts do for minutes, with thousands of tasks.

test(
  'a hundred tasks through slots and a hundred at once end correctly, and leave no descriptor open',
  notOnWindows('it counts descriptors in /proc'),
  async () => {
    await using world = new World();
    const count = 100;
    await using agent = await Agent.start(world.dir, {
      node: ['--expose-gc'],
      session: { maxRunning: count },
    });
    const { done, wrong } = await throughSlots(agent, count, 20, 60_000);
    assert.deepEqual([done, wrong], [count, []]);
    const gauge = new Gauge(agent);
    const before = await gauge.look();
    const pipe = join(world.base, 'go');
    execFileSync('mkfifo', [pipe]);
    const go = openSync(pipe, constants.O_RDWR);
    await spawnWaiting(agent, count, pipe);
    const { descriptors } = await gauge.look();
    assert.ok(descriptors - before.descriptors < 10, 'no descriptor a task');
    writeSync(go, '\n'.repeat(count));
    const all = await takeAll(agent);
    closeSync(go);
    assert.deepEqual([all.done, all.wrong], [count, []]);
    await gauge.stop();
    const { descriptors: after = count } = gauge.samples.at(-1) ?? {};
    assert.ok(after <= before.descriptors, `${after} descriptors, ${before.descriptors} before`);
  },
);

test('a minute of use, with every kind of call, works', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const { wrong } = await agent.run(useForAMinute, {
    seed: 7,
    calls: onWindows ? 15 : 40,
    atATime: onWindows ? 2 : 4,
  });
  assert.deepEqual(wrong, []);
});
