import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoTracing } from '../../support/moments/at-call.ts';
import { pairs, playSome, shimPoints, someLives } from '../../support/moments/points.ts';
import { SpawnerStage } from '../../support/moments/spawner-stage.ts';
import { Stage } from '../../support/moments/stage.ts';
import { World } from '../../support/world.ts';

const skip = whyNoTracing();

/** The calls that make a process, as the kernel numbers them. */
const forks = process.arch === 'arm64' ? [220] : [56, 57];

test('a shim that is killed at any call leaves no command unrecorded and no end made up', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  await playSome(t, stage, await shimPoints(stage, 'kill', { names: someLives(t, 'ends') }), {
    // Ended before it was executed, it was told as a command that SIGKILL had ended.
    first: ({ life, role, number }) => life === 'ends' && role === 'child' && (number === 3 || number > 14),
    most: 4,
  });
});

test('a shim and its spawner that are killed at the same moment leave no command unrecorded and no end made up', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  await playSome(t, stage, await shimPoints(stage, 'kill', { both: true, names: someLives(t) }), { most: 3 });
});

test('output through a pump is kept when the shim and its spawner are killed as soon as the command exists', {
  skip,
}, async () => {
  await using world = new World();
  await using stage = await Stage.set(world);
  const { shim } = await stage.calls('pumps');
  // The last process that a shim forks is its command. What stood in the FIFO went with the last one that had it open.
  const number = Math.max(...forks.map((call) => shim.lastIndexOf(call))) + 1;
  assert.ok(number > 1, 'the shim forks');
  for (let after = 1; after <= 4; after += 1)
    for (let again = 0; again < 2; again += 1)
      await stage.play({
        ...{ life: 'pumps', role: 'shim', number: number + after },
        ...{ action: 'kill', act: 'look', both: true },
      });
});

test('a shim and its spawner that are killed at any two moments leave no command unrecorded and no end made up', {
  skip,
}, async (t) => {
  await using world = new World();
  await using stage = await SpawnerStage.set(world, { traced: true });
  await playSome(t, stage, await pairs(stage, 'kill', someLives(t)), { most: 3 });
});
