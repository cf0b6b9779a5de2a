import { test } from 'node:test';
import { live } from '../support/failures.ts';
import { checkMatches } from '../support/matches.ts';
import { World } from '../support/world.ts';

// The long form, test/prove/failing-calls.prove.ts, goes on with this for as long as it is given.
const cases = [
  ['spawn', 'EIO', 65],
  ['ack', 'ENOSPC', 24],
  ['adopt', 'EMFILE', 3_000],
  ['stop', 'EMFILE', 3_000],
  ['queue', 'EDQUOT', 34],
  ['watch', 'EMFILE', 170],
  ['prune', 'EACCES', 30],
  ['cut', 'EROFS', 20],
] as const;

for (const [life, code, calls] of cases) {
  test(`calls of the life "${life}" that fail with ${code} lose nothing, leave nothing, and are told by a code`, async (t) => {
    await using world = new World();
    const at = 1 + Math.floor(Math.random() * calls);
    const failure = { with: code, for: Math.random() < 0.5 ? 1 : 25 };
    const { refused } = await live(world, life, failure, at, checkMatches);
    t.diagnostic(
      `${failure.for} from call ${at} on; refused: ${[...new Set(refused)].join(', ') || 'nothing'}`,
    );
  });
}

// At about these calls the first attempts fail to take back what runs already, and the store is closed before the next.
test('a spawn that was refused when its command ran already is taken back before its store is closed', async () => {
  await using world = new World();
  for (const at of [58, 59, 60, 60, 60, 60, 61, 62]) await live(world, 'spawn', { with: 'EIO', for: 25 }, at);
});
