import { test } from 'node:test';
import { whyNoTracing } from '../support/moments/at-call.ts';
import { BurstStage } from '../support/moments/burst-stage.ts';
import { pairs, playSome, shimPoints, spawnerPoints, sweptPoints } from '../support/moments/points.ts';
import { SpawnerStage } from '../support/moments/spawner-stage.ts';
import { Stage } from '../support/moments/stage.ts';
import { PidNamespace } from '../support/namespaces.ts';
import { deeds } from '../support/pauses/deeds.ts';
import { rolePoints } from '../support/pauses/points.ts';
import { RoleStage } from '../support/pauses/role-stage.ts';
import { World } from '../support/world.ts';

const skip = whyNoTracing();

for (const role of deeds) {
  test(`a process that is stopped for an hour at any call while it does "${role}" loses, doubles and makes up nothing`, async (t) => {
    await using world = new World();
    await using stage = await RoleStage.set(world);
    await playSome(t, stage, await rolePoints(stage, role), { share: 0.06 });
  });
}

test('a spawner that goes on while a process that sweeps its session is stopped has its record and its output', {
  skip,
}, async (t) => {
  await using world = new World();
  await using container = await PidNamespace.start();
  await using stage = await SpawnerStage.set(world, { sweeperBefore: container.enter });
  await playSome(t, stage, await sweptPoints(stage), { share: 0.1 });
});

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
        await playSome(t, stage, await shimPoints(stage, action, { both }), { share: both ? 0.05 : 0.1 });
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
  for (const both of [false, true])
    test(`a fork server${both ? ' and its spawner' : ''}, ${what} at any call, leaves nothing unrecorded or made up`, {
      skip,
    }, async (t) => {
      await using world = new World();
      await using stage = await BurstStage.set(world);
      await playSome(t, stage, await stage.points(action, both), { share: 0.05 });
    });
}
