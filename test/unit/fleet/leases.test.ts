import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Leases } from '../../../src/fleet/coordinator/leases.ts';

const leaseMs = 30_000;
const beat = (epoch = 'e1') => ({ v: 1, host: 'h1', version: '', epoch, labels: {}, slots: 1, holds: [] });

/** Leases that are looked at each second, so that no time passes unseen. */
function watched(from = 0): { leases: Leases; until: (now: number) => void } {
  const leases = new Leases(leaseMs, from);
  let at = from;
  const until = (now: number): void => {
    for (; at <= now; at += 1000) leases.look(at);
  };
  return { leases, until };
}

test('a host is lost after 1.3 leases of silence, and live for one', () => {
  const { leases, until } = watched();
  leases.hear(beat(), 10_000);
  until(10_000 + 39_000);
  assert.equal(leases.isLive('h1', 10_000 + leaseMs), true);
  assert.equal(leases.isLive('h1', 10_000 + leaseMs + 1), false);
  assert.equal(leases.isLost('h1', 10_000 + 39_000), false);
  assert.equal(leases.isLost('h1', 10_000 + 39_001), true);
  leases.hear(beat(), 60_000);
  assert.equal(leases.isLost('h1', 60_001), false);
});

test('no host is lost until 1.3 leases after a start, whether it was heard or not', () => {
  const { leases, until } = watched(1_000_000);
  until(1_039_000);
  assert.equal(leases.isLost('never', 1_039_000), false);
  assert.equal(leases.isLost('never', 1_039_001), true);
});

test('after a reconnect or a new leader everybody has the time to be heard', () => {
  const { leases, until } = watched();
  leases.hear(beat(), 0);
  until(38_000);
  leases.listenAnew(38_000);
  assert.equal(leases.isLost('h1', 50_000), false);
  assert.equal(leases.isLost('h1', 38_000 + 39_001), true);
});

test('a coordinator that was stopped itself takes nobody as lost because of that', () => {
  const { leases, until } = watched();
  leases.hear(beat(), 0);
  until(5000);
  assert.equal(leases.look(5000 + 200_000), true);
  assert.equal(leases.isLost('h1', 5000 + 200_000), false);
  assert.equal(leases.look(206_000), false);
});

test('an agent that another one has taken the place of is not heard any more', () => {
  const { leases } = watched();
  assert.equal(leases.hear(beat('e1'), 0), true);
  assert.equal(leases.hear(beat('e2'), 1), true);
  assert.equal(leases.hear(beat('e1'), 2), false);
  assert.equal(leases.hear(beat('e2'), 3), true);
  assert.equal(leases.get('h1')?.heartbeat.epoch, 'e2');
});
