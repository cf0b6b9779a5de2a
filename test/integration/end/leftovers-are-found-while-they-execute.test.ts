import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('a leftover is found also at the moment when it executes its program', async () => {
  await using world = new World();
  const session = await world.session('test');
  const rounds = Array.from({ length: 15 });
  for (const _ of rounds) {
    const tasks = await Promise.all(
      // It leaves the group and executes twice, while the command is ending.
      Array.from({ length: 8 }, () => session.spawn('setsid sleep 1000 & exit 3', { timeoutMs: null })),
    );
    for (const task of tasks) {
      assert.equal((await task.wait()).leftovers.length, 1, task.id);
      await task.kill({ graceMs: 0 });
    }
  }
});
