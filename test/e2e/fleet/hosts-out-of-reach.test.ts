import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objects, oneObject } from '../../support/command-line.ts';
import { MadeFleet } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

test('for a host that does not answer, the last known part of each output is shown, with a note that there is no more', {
  skip: withoutNats,
}, async () => {
  await using fleet = await MadeFleet.make({ times: { leaseMs: 4_000, heartbeatMs: 200 } });
  const machine = await fleet.host('h1', '--slots', '4');
  const long = await fleet.on('h1', 'seq 1 20000; sleep 1000');
  const quiet = await fleet.on('h1', 'sleep 1000');
  const ended = await fleet.on('h1', 'echo over; exit 3');
  await fleet.untilState(ended, 'ended');
  const whole = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('');
  await waitFor(async () => {
    const { lastSeen } = oneObject((await fleet.run('show', '--json', long)).stdout);
    return lastSeen?.outputBytes === whole.length;
  }, 'the end of the output to be told');
  await machine.killAgent();

  // At once, and when the host counts as lost.
  for (const state of [null, 'unknown']) {
    if (state !== null) await fleet.untilState(long, state);
    const logs = await fleet.run('logs', long);
    assert.equal(logs.status, 118, logs.stderr);
    assert.ok(logs.stdout.length <= 8_192 && logs.stdout.length > 8_000, `${logs.stdout.length}`);
    assert.ok(whole.endsWith(logs.stdout));
    assert.match(logs.stderr, /h1 does not answer: this is the last 8\S* of 1\d+\S* of the output/);
    const [told] = objects((await fleet.run('logs', '--json', long)).stdout);
    assert.deepEqual([told?.text, told?.lastSeen.outputBytes], [logs.stdout, whole.length]);
    const shown = await fleet.run('show', long);
    assert.match(shown.stdout, / {2}\| 19999\n {2}\| 20000\n$/);
    const object = oneObject((await fleet.run('show', '--json', long)).stdout);
    assert.deepEqual([object.hostError.code, object.snapshot], ['HOST_UNREACHABLE', null]);
    // Nothing is known where nothing was written.
    const none = await fleet.run('logs', quiet);
    assert.deepEqual([none.status, none.stdout], [118, '']);
    const over = await fleet.run('logs', ended);
    assert.deepEqual([over.status, over.stdout], [118, 'over\n']);
    assert.match(over.stderr, /the last 5\S* of 5\S* of the output, as the host told it when the task ended/);
  }
});
