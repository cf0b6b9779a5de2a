import { test } from 'node:test';
import { whyNoTracing } from '../../support/moments/at-call.ts';
import { type Life, lifeNames, lives } from '../../support/moments/lives.ts';
import { type Action, playSome, shimPoints } from '../../support/moments/points.ts';
import { type Case, Stage } from '../../support/moments/stage.ts';
import { World } from '../../support/world.ts';

const skip = whyNoTracing();

/** Those in which there is a hook. */
async function hookPoints(stage: Stage, action: Action): Promise<Case[]> {
  return await shimPoints(stage, action, {
    names: lifeNames.filter((name) => (lives[name] as Life).isHooked),
  });
}

for (const [action, what] of [
  ['kill', 'killed'],
  ['stop', 'stopped for an hour'],
] as const) {
  test(`a hook never runs twice, and the record says why it did not run, when a process of a task is ${what}`, {
    skip,
  }, async (t) => {
    await using world = new World();
    await using stage = await Stage.set(world);
    const points = await hookPoints(stage, action);
    await playSome(t, stage, points, { most: 4 });
  });
}
