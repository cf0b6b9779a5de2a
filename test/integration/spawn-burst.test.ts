import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onWindows } from '../support/processes.ts';
import { World } from '../support/world.ts';

/** Wine takes half a second for each. */
const many = onWindows ? 12 : 100;

test(`${many} spawns at once do not hold the event loop, and each has an id of its own`, async () => {
  await using world = new World();
  const session = await world.session('burst', { maxRunning: 100 });
  let last = performance.now();
  let longestGap = 0;
  const beat = setInterval(() => {
    longestGap = Math.max(longestGap, performance.now() - last);
    last = performance.now();
  }, 1);
  const begun = performance.now();
  const tasks = await Promise.all(Array.from({ length: many }, () => session.spawn('true')));
  const whole = performance.now() - begun;
  clearInterval(beat);
  // Without a pause between two spawns the longest gap is the whole burst. A share of it is the same on a
  // slow machine and a fast one; half a second is for one that does something else in between.
  assert.ok(longestGap < Math.max(whole / 2, 500), `${longestGap} of ${whole} ms`);
  assert.equal(new Set(tasks.map((task) => task.id)).size, many);
  for (const task of tasks) assert.match(task.id, /^bgb-[0-9a-f]{8}$/);
  const ends = await Promise.all(tasks.map((task) => task.wait()));
  assert.ok(ends.every((end) => end.status === 'completed'));
});
