import { test } from 'node:test';
import { whyNoFailing, whyNoTracing } from '../../support/moments/at-call.ts';
import { type BurstCase, BurstStage } from '../../support/moments/burst-stage.ts';
import { playSome } from '../../support/moments/points.ts';
import { World } from '../../support/world.ts';

/** The long form is test/prove/moments.prove.ts. */
const most = 2;

for (const [action, deed] of [
  ['kill', 'is killed'],
  ['stop', 'stands still for an hour'],
] as const)
  for (const both of [false, true])
    test(`when a fork server${both ? ' and its spawner' : ''} ${deed} at any call, nothing runs unrecorded or waits forever`, {
      skip: whyNoTracing(),
    }, async (t) => {
      await using world = new World();
      await using stage = await BurstStage.set(world);
      await playSome(t, stage, await stage.points(action, both), { most });
    });

test('when a call of a fork server fails, each spawn is answered and nothing runs unrecorded', {
  skip: whyNoFailing(),
}, async (t) => {
  await using world = new World();
  await using stage = await BurstStage.set(world);
  const points = await stage.points('fail');
  // That the log could not be opened was taken for a program that cannot be executed. (open and openat)
  const first = ({ failure }: BurstCase): boolean =>
    failure?.code === 'EACCES' && [2, 257].includes(failure.call);
  await playSome(t, stage, points, { first, most });
});
