import assert from 'node:assert/strict';
import { test } from 'node:test';
import { live } from '../support/failures.ts';
import { checkMatches } from '../support/matches.ts';
import { World } from '../support/world.ts';

// The long form, test/prove/failing-calls.prove.ts, goes on with this for as long as it is given. The numbers are the
// calls of each life that can fail in that way.
const cases = [
  ['spawn', 'EIO', 100],
  ['ack', 'ENOSPC', 28],
  ['adopt', 'EMFILE', 196],
  ['stop', 'EMFILE', 132],
  ['queue', 'EDQUOT', 37],
  ['watch', 'EMFILE', 186],
  ['prune', 'EACCES', 35],
  ['cut', 'EROFS', 27],
] as const;

for (const [life, code, calls] of cases) {
  test(`calls of the life "${life}" that fail with ${code} lose nothing, leave nothing behind, and are reported by a code`, async (t) => {
    await using world = new World();
    const at = 1 + Math.floor(Math.random() * calls);
    const failure = { with: code, for: Math.random() < 0.5 ? 1 : 25 };
    const { refused } = await live(world, life, failure, at, checkMatches);
    t.diagnostic(
      `${failure.for} from call ${at} on; refused: ${[...new Set(refused)].join(', ') || 'nothing'}`,
    );
  });
}

// The record of each task is synced while its command starts, for which the folder is looked at: the sync fails, and so
// do the first attempts to take the task back.
test('a spawn that fails after its command has started is undone before its store is closed', async () => {
  await using world = new World();
  for (const nth of [1, 2, 3, 1, 2, 3]) {
    const failure = { with: 'EIO', for: 25, never: '^[fl]?stat' };
    await live(world, 'spawn', failure, `fdatasync ${nth}`, async ({ tasks, told }) => {
      const refused = tasks.filter(({ taskId }) => !told.spawned.includes(taskId));
      assert.deepEqual([told.spawned.length, refused.length], [3, 1]);
      assert.equal(refused[0]?.delivered, true);
    });
  }
});

// No shim can be executed, nothing can be made and nothing removed: what was begun takes no place of others.
test('a refused spawn whose record cannot be removed does not block the queue', async () => {
  await using world = new World();
  for (const nth of [1, 2, 3]) {
    const { refused } = await live(world, 'queue', { with: 'EACCES', for: 300 }, `spawn ${nth}`);
    assert.ok(refused.length > 0, `the spawn ${nth} was refused`);
  }
});
