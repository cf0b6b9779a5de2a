import { test } from 'node:test';
import { Chance } from '../../support/chance.ts';
import { playSome } from '../../support/moments/points.ts';
import { deeds } from '../../support/moves/deeds.ts';
import { movePairs, movePoints } from '../../support/moves/points.ts';
import { MoveStage } from '../../support/moves/stage.ts';
import { World } from '../../support/world.ts';

// The long form is test/prove/moved-logs.prove.ts. Who asks for every call gets every call.
const most = process.env.OUTLIVE_CRASH_STEP === '1' ? Number.POSITIVE_INFINITY : 1;

const skip =
  process.platform !== 'linux' && 'logs are moved where ends are proven, and /proc tells who is stopped';

test('every process finds each log that is put away exactly once, whichever process is stopped or killed at any call', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await MoveStage.set(world);
  for (const deed of deeds) await playSome(t, stage, await movePoints(stage, deed), { most });
  await playSome(t, stage, await movePairs(stage, new Chance(t), Math.min(most, 1_000)), { most });
});
