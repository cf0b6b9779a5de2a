import { test } from 'node:test';
import { playSome } from '../support/moments/points.ts';
import { deeds } from '../support/pauses/deeds.ts';
import { rolePoints } from '../support/pauses/points.ts';
import { RoleStage } from '../support/pauses/role-stage.ts';
import { World } from '../support/world.ts';

// The long form is test/prove/moments.prove.ts. Who asks for every call gets every call.
const most = process.env.OUTLIVE_CRASH_STEP === '1' ? Number.POSITIVE_INFINITY : 1;

const skip = process.platform !== 'linux' && 'whether a process is stopped is read from /proc';

for (const role of deeds) {
  test(`a process that is stopped for an hour at any call while it does "${role}" loses, doubles and makes up nothing`, {
    skip,
  }, async (t) => {
    await using world = new World();
    await using stage = await RoleStage.set(world);
    await playSome(t, stage, await rolePoints(stage, role), {
      // A shorter output took the place of one that had been removed with its task, and stayed.
      first: ({ meanwhile, number }) =>
        role === 'watch' && meanwhile === 'forget' && number > 115 && number < 122,
      most,
    });
  });
}
