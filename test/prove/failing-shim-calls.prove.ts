import { test } from 'node:test';
import { whyNoFailing } from '../support/moments/at-call.ts';
import { BurstStage } from '../support/moments/burst-stage.ts';
import { failingPoints, playSome } from '../support/moments/points.ts';
import { Stage } from '../support/moments/stage.ts';
import { World } from '../support/world.ts';

/** Most of the time is waiting. */
const stagesAtOnce = 8;

test('a failed system call of a shim leaves nothing unrecorded, made up, waiting or running', {
  skip: whyNoFailing(),
}, async (t) => {
  await using world = new World();
  const stages: Stage[] = [];
  try {
    for (let number = 1; number <= stagesAtOnce; number += 1)
      stages.push(await Stage.set(world, { name: `stage-${number}` }));
    await playSome(t, stages, await failingPoints(stages[0] as Stage));
  } finally {
    for (const stage of stages) await stage[Symbol.asyncDispose]();
  }
});

test('a failed system call of a fork server leaves nothing unrecorded, made up, waiting or running', {
  skip: whyNoFailing(),
}, async (t) => {
  await using world = new World();
  await using stage = await BurstStage.set(world);
  await playSome(t, stage, await stage.points('fail'), { share: 0.1 });
});
