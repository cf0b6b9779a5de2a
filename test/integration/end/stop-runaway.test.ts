import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilPrinted } from '../../support/ready.ts';
import { fixture, World } from '../../support/world.ts';

// No listing of processes is of one moment: what is forked while it is read must not slip through.
test('kill() ends a tree that keeps re-forking to escape, or says what is left', async (t) => {
  await using world = new World();
  const session = await world.session();
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const task = await session.spawn(fixture('runs-away.sh'));
    await untilPrinted(task);
    const begin = performance.now();
    const snapshot = await task.kill({ graceMs: 50 });
    tookMs.push(Math.round(performance.now() - begin));
    assert.equal(snapshot.status, 'killed');
    // Several looks, since one may miss it too.
    const left = Array.from({ length: 5 }, () => world.pidsOf(task.id)).flat();
    assert.deepEqual(
      left,
      [],
      `${left.length} processes are left, and ${snapshot.leftovers.length} reported`,
    );
  }
  t.diagnostic(`gone after ${tookMs.join(', ')} ms, with a grace of 50 ms`);
});
