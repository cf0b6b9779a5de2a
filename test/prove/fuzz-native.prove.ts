import { test } from 'node:test';
import { Chance } from '../support/chance.ts';
import { compileTarget, fuzz, type Target, targets } from '../support/fuzz/native.ts';
import { World } from '../support/world.ts';

const seconds = Number(process.env.OUTLIVE_PROVE_SECONDS ?? 60);

const promises: Readonly<Record<Target, string>> = {
  request: 'any environment is understood whole or refused, and nothing of it stays but the cookie',
  log: 'any log is read the same in one part or two, makes up no end, and gets answers that are facts',
  facts: 'whatever the shim is told, each fact that it writes is one line of JSON, and is found again',
  clients: 'what clients send to a shim is taken the same in any pieces, and nothing else is typed',
};

for (const target of Object.keys(targets) as Target[]) {
  test(`${promises[target]} (libFuzzer)`, async (t) => {
    const chance = new Chance(t);
    await using world = new World();
    const share = seconds / Object.keys(targets).length;
    const program = compileTarget(world, target);
    const inputs = await fuzz(world, target, program, { seconds: share, seed: chance.seed });
    t.diagnostic(`${inputs} inputs`);
  });
}
