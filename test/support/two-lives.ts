import assert from 'node:assert/strict';
import { Aftermath } from './aftermath.ts';
import { isKilled, lead, parse } from './crashes.ts';
import { checkMatches } from './matches.ts';
import type { World } from './world.ts';

let lives = 0;

/** One of two lives that are led in one store at the same time: which, and before which call it dies (0: it does not). */
export type HalfLife = readonly [life: string, diesAt: number];

/** Lets two processes use one session at the same time and die, each at a moment of its own, and looks at what is left. */
export async function liveTogether(world: World, halves: readonly [HalfLife, HalfLife]): Promise<void> {
  lives += 1;
  const dir = `${world.base}/together-${lives}`;
  const both = halves.map(([life, diesAt]) =>
    lead('dies-at-call.mjs', dir, life, { DIES_AT_CALL: String(diesAt) }),
  );
  const ended = await Promise.all(both);
  // How many calls one has made says nothing of the other.
  const told = { ...parse(ended.map(({ text }) => text).join('\n')), calls: null };
  try {
    for (const { code, killSignal, text } of ended)
      assert.ok(isKilled(killSignal, text) || code === 0, `one ended with ${code ?? killSignal}`);
    assert.deepEqual(told.wrong, []);
    const twice = told.acked.filter((id, index) => told.acked.indexOf(id) !== index);
    assert.deepEqual(twice, [], 'an acknowledgement is the first of all');
    await using after = await Aftermath.of(dir, told);
    await after.check();
    await checkMatches(after);
    await after.checkNothingIsLeft();
  } catch (error) {
    const texts = ended.map(({ text }) => text).join('---\n');
    throw new Error(`after ${JSON.stringify(halves)}: ${texts}\n${error}`, { cause: error });
  }
}
