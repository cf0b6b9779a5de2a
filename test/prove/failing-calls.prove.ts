import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chance, endOfBudget } from '../support/chance.ts';
import { live } from '../support/failures.ts';
import { checkMatches } from '../support/matches.ts';
import { World } from '../support/world.ts';

const codes = list('OUTLIVE_PROVE_CODES', ['ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'EROFS', 'ENOENT', 'EDQUOT']);
const lives = list('OUTLIVE_PROVE_LIVES', [
  'spawn',
  'ack',
  'adopt',
  'stop',
  'cut',
  'queue',
  'watch',
  'prune',
]);

test('calls that fail at any moment of any life lose nothing, leave nothing behind, and are reported by a code', async (t) => {
  const chance = new Chance(t);
  await using world = new World();
  const end = endOfBudget();
  const counts = new Map<string, number>();
  const found: string[] = [];
  let led = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const [life, code, length] = [chance.of(lives), chance.of(codes), chance.of([1, 1, 2, 5, 25, 300])];
      const failure = { with: code, for: length };
      const key = `${life} ${code}`;
      try {
        const count = counts.get(key) ?? (await live(world, life, failure, 0, checkMatches)).calls ?? 0;
        counts.set(key, count);
        // A later life makes a few calls more or less.
        const at = 1 + chance.number(count + 2);
        led += 1;
        await live(world, life, failure, at, checkMatches);
      } catch (error) {
        found.push(String(error));
      }
    }
  };
  await Promise.all([worker(), worker()]);
  t.diagnostic(`${led} lives; calls that can fail: ${[...counts].map((pair) => pair.join(' ')).join(', ')}`);
  assert.equal(found.length, 0, found.join('\n\n'));
});

function list(variable: string, otherwise: [string, ...string[]]): [string, ...string[]] {
  const [first, ...rest] = process.env[variable]?.split(',') ?? otherwise;
  return first === undefined ? otherwise : [first, ...rest];
}
