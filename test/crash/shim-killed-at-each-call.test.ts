import { test } from 'node:test';
import { whyNoTracing } from '../support/moments/at-call.ts';
import { pairs, playSome, shimPoints } from '../support/moments/points.ts';
import { SpawnerStage } from '../support/moments/spawner-stage.ts';
import { Stage } from '../support/moments/stage.ts';
import { World } from '../support/world.ts';

const skip = whyNoTracing();

test('a shim that is killed at any call leaves no command unrecorded and no end made up', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  await playSome(t, stage, await shimPoints(stage, 'kill'), {
    // Ended before it was executed, it was told as a command that SIGKILL had ended.
    always: ({ life, role, number }) => life === 'ends' && role === 'child' && (number === 3 || number > 14),
    most: 12,
  });
});

test('nor do a shim and its spawner that are killed at the same moment', { skip }, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  await playSome(t, stage, await shimPoints(stage, 'kill', true), { most: 5 });
});

test('nor do a shim and its spawner that are killed at any two moments', { skip }, async (t) => {
  await using world = new World();
  await using stage = await SpawnerStage.set(world, { traced: true });
  await playSome(t, stage, await pairs(stage, 'kill'), { most: 8 });
});
