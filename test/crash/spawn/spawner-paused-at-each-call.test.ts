import { test } from 'node:test';
import { whyNoTracing } from '../../support/moments/at-call.ts';
import { pairs, playSome, someLives, spawnerPoints, sweptPoints } from '../../support/moments/points.ts';
import { SpawnerStage } from '../../support/moments/spawner-stage.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { World } from '../../support/world.ts';

const skip = whyNoTracing();

test('a spawner that is stopped for an hour at any call has a record of what runs, or runs nothing', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await SpawnerStage.set(world);
  await playSome(t, stage, await spawnerPoints(stage, 'stop', someLives(t, 'ends')), {
    // The empty log of one that was only stopped was swept.
    first: ({ life, act, call }) => life === 'ends' && act === 'look' && call !== 'closeSync',
    most: 3,
  });
});

for (const where of ['beside it', 'in another container'] as const) {
  test(`a spawner that goes on while a process ${where} that sweeps its session is stopped has a record of what runs, or runs nothing`, {
    skip,
  }, async (t) => {
    await using world = new World();
    await using container = where === 'in another container' ? await PidNamespace.start() : null;
    await using stage = await SpawnerStage.set(world, { sweeperBefore: container?.enter ?? [] });
    await playSome(t, stage, await sweptPoints(stage, someLives(t, 'ends')), {
      // The record is there and empty: only from another container nobody sees that it is open.
      first: ({ life, call, sweeper = 0 }) =>
        container !== null && life === 'ends' && call === 'writeSync' && sweeper > 5 && sweeper < 11,
      most: 2,
    });
  });
}

test('a spawner and its shim that are stopped at any two moments have a record of what runs, or run nothing', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await SpawnerStage.set(world, { traced: true });
  await playSome(t, stage, await pairs(stage, 'stop', someLives(t)), { most: 3 });
});
