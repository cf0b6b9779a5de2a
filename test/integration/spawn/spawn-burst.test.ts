import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

/** Wine takes half a second for each. */
const many = onWindows ? 12 : 100;

test(`${many} spawns at once do not block the event loop, and each has its own id`, async () => {
  await using world = new World();
  const session = await world.session('burst', { maxRunning: 100 });
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const tasks = await Promise.all(Array.from({ length: many }, () => session.spawn('true')));
  isOver = true;
  // Without pauses between them it goes round three times, on a fast machine and on a slow one.
  assert.ok(turns >= many / 8, `the loop went round ${turns} times`);
  assert.equal(new Set(tasks.map((task) => task.id)).size, many);
  for (const task of tasks) assert.match(task.id, /^bgb-[0-9a-f]{12}$/);
  const ends = await Promise.all(tasks.map((task) => task.wait()));
  assert.ok(ends.every((end) => end.status === 'completed'));
});
