import { test } from 'node:test';
import { Chance } from '../support/chance.ts';
import { playSome } from '../support/moments/points.ts';
import { deeds } from '../support/moves/deeds.ts';
import { movePairs, movePoints } from '../support/moves/points.ts';
import { MoveStage } from '../support/moves/stage.ts';
import { World } from '../support/world.ts';

const skip =
  process.platform !== 'linux' && 'logs are moved where ends are proven, and /proc tells who is stopped';

/** One process of each deed, and pairs, which there are more of. */
const share = 1 / (deeds.length + 2);

for (const deed of deeds)
  test(`every process finds each log exactly once, wherever a process that does "${deed}" is stopped or killed`, {
    skip,
  }, async (t) => {
    await using world = new World();
    await using stage = await MoveStage.set(world);
    await playSome(t, stage, await movePoints(stage, deed), { share });
  });

test('every process finds each log exactly once, wherever a process that moves logs and another one are stopped or killed', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await MoveStage.set(world);
  await playSome(t, stage, await movePairs(stage, new Chance(t), 10_000), { share: 2 * share });
});
