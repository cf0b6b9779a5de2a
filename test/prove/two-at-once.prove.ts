import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chance, endOfBudget } from '../support/chance.ts';
import { type HalfLife, liveTogether } from '../support/two-lives.ts';
import { World } from '../support/world.ts';

const lives = ['spawn', 'ack', 'stop', 'cut', 'queue', 'prune'] as const;

test('two processes on one session that die at any two moments lose nothing together', async (t) => {
  const chance = new Chance(t);
  await using world = new World();
  const end = endOfBudget();
  const found: string[] = [];
  let led = 0;
  const half = (): HalfLife => [chance.of(lives), chance.number(80)];
  while (performance.now() < end) {
    const halves = [half(), half()] as const;
    if (waitForEachOther(halves)) continue;
    led += 1;
    await liveTogether(world, halves).catch((error: unknown) => found.push(String(error)));
  }
  t.diagnostic(`${led} pairs`);
  assert.equal(found.length, 0, found.join('\n\n'));
});

/** Whoever dies before he stops his task leaves it running, and who waits for its place would wait half an hour. */
function waitForEachOther(halves: readonly HalfLife[]): boolean {
  const led = halves.map(([life]) => life);
  return led.includes('queue') && led.includes('stop');
}
