import { test } from 'node:test';
import { whyNoTracing } from '../../support/moments/at-call.ts';
import { playSome, shimPoints, someLives } from '../../support/moments/points.ts';
import { Stage } from '../../support/moments/stage.ts';
import { World } from '../../support/world.ts';

const skip = whyNoTracing();

test('a shim that is stopped for an hour at any call runs nothing that was given up', { skip }, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  await playSome(t, stage, await shimPoints(stage, 'stop', { names: someLives(t) }), { most: 4 });
});

test('a shim and its spawner that are stopped for an hour at the same moment run nothing that was given up', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  await playSome(t, stage, await shimPoints(stage, 'stop', { both: true, names: someLives(t) }), { most: 3 });
});
