import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilPrinted } from '../../support/ready.ts';
import { fixture, World } from '../../support/world.ts';

/** An implementation that waits by blocking comes to the loop a few times for each task; on a busy machine, too. */
const fewestTurns = 100;

test('stopping tasks does not hold up the event loop', async (t) => {
  await using world = new World();
  const session = await world.session();
  const tasks = await Promise.all(
    Array.from({ length: 8 }, () => session.spawn(fixture('ignores-sigterm-tree.sh'))),
  );
  for (const task of tasks) await untilPrinted(task);
  let last = performance.now();
  let gapMs = 0;
  let turns = 0;
  const ticks = setInterval(() => {
    turns += 1;
    gapMs = Math.max(gapMs, performance.now() - last);
    last = performance.now();
  }, 1);
  await Promise.all(tasks.map((task) => task.kill({ graceMs: 1_500 })));
  clearInterval(ticks);
  assert.deepEqual(world.commandPids(), []);
  t.diagnostic(`${turns} turns of the loop, the longest gap was ${Math.round(gapMs)} ms`);
  assert.ok(turns > fewestTurns, `expected ${fewestTurns} turns of the loop; found ${turns}`);
});
