import { test } from 'node:test';
import { whyNoTracing } from '../support/moments/at-call.ts';
import { pairs, playSome, shimPoints, spawnerPoints } from '../support/moments/points.ts';
import { SpawnerStage } from '../support/moments/spawner-stage.ts';
import { Stage } from '../support/moments/stage.ts';
import { World } from '../support/world.ts';

const skip = whyNoTracing();

for (const action of ['kill', 'stop'] as const) {
  const what = action === 'kill' ? 'killed' : 'stopped for an hour';
  for (const stay of [false, true]) {
    for (const both of [false, true]) {
      // A new spawner does not know yet that its shims are to stay.
      if (action === 'kill' && stay && both) continue;
      const who = `a shim${stay ? ' that is a child of its spawner' : ''}${both ? ', with its spawner' : ''}`;
      test(`${who}, ${what} at any call, leaves nothing unrecorded or made up`, { skip }, async (t) => {
        await using world = new World();
        await using stage = await Stage.set(world, { stay });
        await playSome(t, stage, await shimPoints(stage, action, both), { share: both ? 0.05 : 0.1 });
      });
    }
  }
  test(`a spawner, ${what} at any call, leaves nothing unrecorded or made up`, { skip }, async (t) => {
    await using world = new World();
    await using stage = await SpawnerStage.set(world);
    await playSome(t, stage, await spawnerPoints(stage, action), { share: 0.1 });
  });
  test(`a spawner and a shim, ${what} at any two calls, leave nothing unrecorded or made up`, {
    skip,
  }, async (t) => {
    await using world = new World();
    await using stage = await SpawnerStage.set(world, { traced: true });
    await playSome(t, stage, await pairs(stage, action), { share: 0.1 });
  });
}
