import { test } from 'node:test';
import { anyLogHolds } from '../support/fuzz/logs.ts';
import { prove } from '../support/prove.ts';
import { World } from '../support/world.ts';

test('a session with random logs opens, tells each end once, and is shown without harm', async (t) => {
  await using world = new World();
  t.diagnostic(`${await prove(anyLogHolds(world), { atOnce: 5, shrink: false })} sessions`);
});
