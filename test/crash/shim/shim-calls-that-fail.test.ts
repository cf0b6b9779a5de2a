import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoFailing } from '../../support/moments/at-call.ts';
import { failingPoints, hasFoundSomething, playSome } from '../../support/moments/points.ts';
import { Stage } from '../../support/moments/stage.ts';
import { World } from '../../support/world.ts';

// The long form, test/prove/failing-shim-calls.prove.ts, goes on with this in all lives.
test('a failed system call of a shim leaves no command unrecorded and no end made up', {
  skip: whyNoFailing(),
}, async (t) => {
  await using world = new World();
  await using stage = await Stage.set(world);
  const points = await failingPoints(stage, ['ends', 'times', 'pumps', 'floods', 'hooks', 'shows']);
  await playSome(t, stage, points, { first: hasFoundSomething, most: 6 });
});

test('the call that must fail is found even after other calls', {
  skip: whyNoFailing(),
}, async () => {
  await using world = new World();
  await using stage = await Stage.set(world);
  const { shim } = await stage.calls('hooksLate');
  // Each of these places is that of another call. Prevented, these would have the shim wait for ever.
  const wait4 = 61;
  const close = 3;
  const places = [wait4, close].map((call) => shim.lastIndexOf(call) + 1);
  for (const number of places)
    for (const [call, code, errno] of [
      [5, 'EIO', 5],
      [0, 'EINTR', 4],
    ] as const) {
      const failure = { call, code, errno, times: 12 };
      await stage.play({ life: 'hooksLate', role: 'shim', number, action: 'fail', act: 'look', failure });
    }
});

test('a waiting shim soon checks again when the kernel did not say who is ahead of it', {
  skip: whyNoFailing(),
}, async () => {
  await using world = new World();
  await using stage = await Stage.set(world);
  // It slept ten seconds after each of them, as one does who is far behind in the line, and whom others wake.
  const failure = { call: 72, code: 'ENOLCK', errno: 37, times: 5 };
  for (const number of [14, 24])
    await stage.play({ life: 'queued', role: 'shim', number, action: 'fail', act: 'look', failure });
});

test('a shim ends even when its pump ends in the middle of a stop that the kernel refuses', {
  skip: whyNoFailing(),
}, async () => {
  await using world = new World();
  await using stage = await Stage.set(world);
  const { shim } = await stage.calls('floods');
  const kill = 62;
  // The signals to the group, and those that continue it, come first.
  const number = shim.indexOf(kill, shim.indexOf(kill, shim.indexOf(kill) + 1) + 1) + 1;
  for (const [code, errno, times] of [
    ['EPERM', 1, 12],
    ['ESRCH', 3, 12],
    ['EPERM', 1, 20],
  ] as const) {
    const failure = { call: kill, code, errno, times };
    // It waited for the end of its pump for ever when that and the end of the command had woken it together.
    for (let again = 0; again < 3; again += 1)
      await stage.play({ life: 'floods', role: 'shim', number, action: 'fail', act: 'look', failure });
  }
});

test('a pump loses nothing when the kernel has no memory, and what the disk refuses is reported', {
  skip: whyNoFailing(),
}, async () => {
  await using world = new World();
  await using stage = await Stage.set(world);
  const { pump = [] } = await stage.calls('pumps');
  const splice = 275;
  const places = pump.flatMap((call, index) => (call === splice ? [index + 1] : []));
  assert.notEqual(places.length, 0);
  for (const number of places)
    for (const [code, errno, times] of [
      ['ENOMEM', 12, 1],
      ['ENOMEM', 12, 12],
      ['ENOSPC', 28, 12],
    ] as const) {
      const failure = { call: splice, code, errno, times };
      await stage.play({ life: 'pumps', role: 'pump', number, action: 'fail', act: 'look', failure });
    }
});
