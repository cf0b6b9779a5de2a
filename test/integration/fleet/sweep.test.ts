import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureStreams } from '../../../src/fleet/bus/streams.ts';
import { busOf } from '../../../src/fleet/coordinator/bus.ts';
import { Ledger } from '../../../src/fleet/coordinator/ledger.ts';
import { sweep } from '../../../src/fleet/coordinator/sweep.ts';
import { Writer } from '../../../src/fleet/coordinator/writer.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { endedBy } from '../../support/fleet/host.ts';
import { anAssignment } from '../../support/fleet/samples.ts';
import { withoutNats } from '../../support/nats.ts';

const day = 24 * 3_600_000;

test('tasks that were delivered a week ago, or revoked a month ago, are removed; all others stay', {
  skip: withoutNats,
}, async () => {
  await using fleet = await TestFleet.start();
  const bus = await busOf(await fleet.connection());
  await ensureStreams(bus.connection, 1);
  const ledger = new Ledger();
  const writer = new Writer({ bus, key: fleet.key, era: () => 'any', onSilence: () => undefined });
  const now = 100 * day;
  const ended = endedBy(anAssignment());
  const delivered = { ...ended, state: 'delivered', by: 'coordinator' } as const;
  const cases = [
    ['bgb-00000000000a', { ...delivered, at: now - 8 * day }],
    ['bgb-00000000000b', { ...delivered, at: now - 6 * day }],
    ['bgb-00000000000c', anAssignment({ state: 'revoked', next: null, at: now - 31 * day })],
    // Nobody has acknowledged it, and the clock of its host may be wrong.
    ['bgb-00000000000d', { ...ended, at: 0 }],
    ['bgb-00000000000e', anAssignment({ state: 'accepted', at: now - 90 * day })],
    ['bgb-00000000000f', anAssignment({ state: 'unknown', at: now - 90 * day })],
  ] as const;
  for (const [task, assignment] of cases) {
    const stored = await writer.write({ assignment: { ...assignment, task }, after: 0, scope: 'task' });
    assert.ok(stored);
    ledger.take(stored);
  }
  await sweep(bus, ledger, now);
  const left = ['bgb-00000000000b', 'bgb-00000000000d', 'bgb-00000000000e', 'bgb-00000000000f'];
  assert.deepEqual(
    [...ledger.all()].map(({ task }) => task),
    left,
  );
  assert.equal((await bus.manager.streams.info('ASSIGN')).state.messages, left.length);
});
