import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endBelow } from '../support/below.ts';
import { atSomeMistakes, lead, parse, type Told } from '../support/crashes.ts';
import { World } from '../support/world.ts';

// The numbers are about the calls of each life.
const lives = ['spawn', 'ack', 'adopt', 'stop', 'queue', 'watch', 'prune', 'cut', 'limits'] as const;

/** A life in which one call fails by a mistake in the program; 0: none does. */
async function live(world: World, life: string, at: number): Promise<Told> {
  const dir = `${world.base}/${life}-${at}`;
  const { text, code, killSignal } = await lead('fails-at-call.mjs', dir, life, {
    FAILS_AT_CALL: String(at),
    FAILS_FOR: '1',
    FAILS_WITH: 'TypeError',
    FAILS_NEVER: '',
  });
  const told = parse(text);
  // What was refused may have started a command all the same.
  endBelow(dir);
  if (code !== 0) told.wrong.push(`the program ended with ${code ?? killSignal}`);
  return { ...told, wrong: told.wrong.map((what) => `call ${at} of the life "${life}": ${what}`) };
}

for (const life of lives) {
  test(`a bug at any call of the life "${life}" is reported, ends no process and leaves no caller waiting forever`, async (t) => {
    await using world = new World();
    const { calls } = await live(world, life, 0);
    assert.ok(calls !== null && calls > 20, `${calls} calls`);
    const refused = new Set<string>();
    const wrong: string[] = [];
    const atCall = async (at: number): Promise<void> => {
      const told = await live(world, life, at);
      wrong.push(...told.wrong);
      for (const what of told.refused) refused.add(what);
    };
    await atSomeMistakes(calls, atCall);
    // That there are some is what is tried here.
    world.takeWarnings();
    assert.deepEqual(wrong, []);
    t.diagnostic(`${calls} calls; refused: ${[...refused].join(', ')}`);
  });
}
