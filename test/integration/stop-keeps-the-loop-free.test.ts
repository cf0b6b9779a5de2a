import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilPrinted } from '../support/ready.ts';
import { fixture, World } from '../support/world.ts';

/** Shorter than the grace, so that an implementation that waits by blocking is found. */
const longestGapMs = 1_000;

test('stopping tasks does not hold up the event loop', async (t) => {
  await using world = new World();
  const session = await world.session();
  const tasks = await Promise.all(
    Array.from({ length: 8 }, () => session.spawn(fixture('ignores-sigterm-tree.sh'))),
  );
  for (const task of tasks) await untilPrinted(task);
  let last = performance.now();
  let gapMs = 0;
  const ticks = setInterval(() => {
    gapMs = Math.max(gapMs, performance.now() - last);
    last = performance.now();
  }, 1);
  await Promise.all(tasks.map((task) => task.kill({ graceMs: 1_500 })));
  clearInterval(ticks);
  assert.deepEqual(world.pids(), []);
  t.diagnostic(`the longest gap was ${Math.round(gapMs)} ms`);
  assert.ok(gapMs < longestGapMs, `expected no gap of ${longestGapMs} ms; found ${gapMs}`);
});
