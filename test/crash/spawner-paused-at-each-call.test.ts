import { test } from 'node:test';
import { whyNoTracing } from '../support/moments/at-call.ts';
import { pairs, playSome, spawnerPoints } from '../support/moments/points.ts';
import { SpawnerStage } from '../support/moments/spawner-stage.ts';
import { World } from '../support/world.ts';

const skip = whyNoTracing();

test('a spawner that is stopped for an hour at any call has a record of what runs, or runs nothing', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await SpawnerStage.set(world);
  await playSome(t, stage, await spawnerPoints(stage, 'stop'), {
    // The empty log of one that was only stopped was swept.
    always: ({ life, act, number }) => life === 'ends' && act === 'look' && number >= 6 && number <= 20,
    most: 15,
  });
});

test('so have a spawner and its shim that are stopped at any two moments', {
  skip: whyNoTracing(),
}, async (t) => {
  await using world = new World();
  await using stage = await SpawnerStage.set(world, { traced: true });
  await playSome(t, stage, await pairs(stage, 'stop'), { most: 8 });
});
