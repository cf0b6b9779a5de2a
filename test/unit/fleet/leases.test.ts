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

test('a host is live for one lease of silence, and lost after 1.3', () => {
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

test('no host is lost until 1.3 leases after a start, heard or not', () => {
  const { leases, until } = watched(1_000_000);
  until(1_039_000);
  assert.equal(leases.isLost('never', 1_039_000), false);
  assert.equal(leases.isLost('never', 1_039_001), true);
});

test('after a reconnect or a new leader every host has time to be heard', () => {
  const { leases, until } = watched();
  leases.hear(beat(), 0);
  until(38_000);
  leases.listenAnew(38_000);
  assert.equal(leases.isLost('h1', 50_000), false);
  assert.equal(leases.isLost('h1', 38_000 + 39_001), true);
});

test('a coordinator that was stopped itself does not count hosts as lost because of that', () => {
  const { leases, until } = watched();
  leases.hear(beat(), 0);
  until(5000);
  assert.equal(leases.look(5000 + 200_000), true);
  assert.equal(leases.isLost('h1', 5000 + 200_000), false);
  assert.equal(leases.look(206_000), false);
});

test('a last heartbeat of an agent that has ended changes nothing', () => {
  const { leases } = watched();
  assert.equal(leases.hear(beat('e1'), 0), 'taken');
  assert.equal(leases.hear(beat('e2'), 1), 'taken');
  assert.equal(leases.hear(beat('e1'), 2), 'late');
  assert.equal(leases.hear(beat('e2'), 3), 'taken');
  assert.equal(leases.get('h1')?.heartbeat.epoch, 'e2');
});

test('two agents that take turns get no lease, until one of them has been silent for two leases', () => {
  const { leases } = watched();
  assert.equal(leases.hear(beat('e1'), 0), 'taken');
  assert.equal(leases.hear(beat('e2'), 10), 'taken');
  for (let now = 5_000; now <= 50_000; now += 5_000) {
    assert.equal(leases.hear(beat('e1'), now), 'disputed');
    assert.equal(leases.hear(beat('e2'), now + 10), 'disputed');
    assert.equal(leases.isLost('h1', now + 10), false);
  }
  // Another start of an agent is no end of it.
  assert.equal(leases.hear(beat('e3'), 55_000), 'disputed');
  assert.equal(leases.hear(beat('e3'), 50_000 + 2 * leaseMs), 'disputed');
  assert.equal(leases.hear(beat('e3'), 50_000 + 2 * leaseMs + 1), 'taken');
});

test('a copy of an agent with its memory is recognized by the number of its heartbeats', () => {
  const { leases } = watched();
  for (const number of [1, 2, 3, 3]) assert.equal(leases.hear({ ...beat(), beat: number }, number), 'taken');
  assert.equal(leases.hear({ ...beat(), beat: 2 }, 5_000), 'disputed');
  assert.equal(leases.hear({ ...beat(), beat: 4 }, 5_001), 'disputed');
});

test('a host is alone as long as no other agent of it was heard, although it could have been', () => {
  const { leases } = watched(1_000);
  leases.hear(beat('e1'), 2_000);
  assert.equal(leases.soleMs('h1', 5_000), 4_000);
  leases.hear(beat('e2'), 6_000);
  assert.equal(leases.soleMs('h1', 6_000), 4_000);
  leases.hear(beat('e1'), 9_000);
  assert.equal(leases.soleMs('h1', 9_500), 500);
  leases.listenAnew(9_400);
  assert.equal(leases.soleMs('h1', 9_500), 100);
});

test('a host that is heard is not lost, even if it gets no lease', () => {
  const { leases, until } = watched();
  leases.hearWithoutLease('h1', 30_000);
  until(69_000);
  assert.deepEqual([leases.isLost('h1', 69_000), leases.isLive('h1', 69_000)], [false, false]);
  until(70_000);
  assert.equal(leases.isLost('h1', 69_001), true);
});
