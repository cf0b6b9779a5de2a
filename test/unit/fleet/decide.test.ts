import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cancel,
  decide,
  deliver,
  forgetting,
  type HostsView,
  noteKill,
} from '../../../src/fleet/coordinator/decide.ts';
import { currentOf, fold } from '../../../src/fleet/coordinator/fold.ts';
import { type Assignment, mayBecome } from '../../../src/fleet/wire/assignment.ts';
import { endedBy } from '../../support/fleet/host.ts';
import { anAssignment, written } from '../../support/fleet/samples.ts';

const named = { host: 'h1', labels: {} };
const allThere: HostsView = { isLost: () => false, isDraining: () => false, place: () => 'h2' };
const lost: HostsView = { ...allThere, isLost: (host) => host === 'h1' };

function decided(assignment: Assignment, hosts: HostsView, now = 2000) {
  const { entry } = fold(undefined, written(7, 3, assignment));
  assert.ok(entry);
  const decision = decide(entry, currentOf(entry), hosts, now);
  const to = decision?.assignment;
  // A new attempt begins an arrow of its own.
  if (to !== undefined && to.attempt === assignment.attempt)
    assert.ok(mayBecome(assignment.state, to.state, 'coordinator'), `${assignment.state} to ${to.state}`);
  return decision;
}

function changes(assignment: Assignment, hosts: HostsView, now?: number) {
  const decision = decided(assignment, hosts, now);
  if (decision === null) return null;
  const { state, next = null, accepted = null, attempt } = decision.assignment;
  return { state, next, accepted, attempt };
}

for (const state of ['assigned', 'accepted', 'unknown', 'ended', 'delivered', 'revoked'] as const)
  test(`nothing is written about a task that is ${state} while its host is live`, () => {
    assert.equal(decided(anAssignment({ state }), allThere), null);
  });

test('a task that is not accepted in time is revoked, and goes nowhere', () => {
  const assignment = anAssignment({ startBy: 1999 });
  assert.deepEqual(changes(assignment, allThere), {
    state: 'revoked',
    next: null,
    accepted: false,
    attempt: 1,
  });
  assert.equal(decided(assignment, allThere, 1999), null);
});

test('a task that a lost host has not accepted is revoked, and goes elsewhere if any host will do', () => {
  assert.deepEqual(changes(anAssignment(), lost), { state: 'revoked', next: 2, accepted: false, attempt: 1 });
  const onlyThere = anAssignment({ placement: named });
  assert.deepEqual(changes(onlyThere, lost), { state: 'revoked', next: null, accepted: false, attempt: 1 });
});

test('a task that a drained host has not accepted goes elsewhere, if it may', () => {
  const draining = { ...allThere, isDraining: () => true };
  assert.equal(changes(anAssignment(), draining)?.next, 2);
  assert.equal(changes(anAssignment({ placement: named }), draining), null);
  assert.equal(changes(anAssignment({ state: 'accepted' }), draining), null);
});

test('a task that a lost host has accepted is unknown, and never starts again', () => {
  const accepted = anAssignment({ state: 'accepted' });
  assert.deepEqual(changes(accepted, lost), { state: 'unknown', next: null, accepted: null, attempt: 1 });
  for (const state of ['unknown', 'ended', 'delivered'] as const)
    assert.equal(changes(anAssignment({ state, redispatch: 5 }), lost), null);
});

test('a task that a client has stopped never starts again, whatever was asked for', () => {
  const accepted = anAssignment({ state: 'accepted', redispatch: 2 });
  const { entry } = fold(undefined, written(7, 3, accepted));
  assert.ok(entry);
  const note = noteKill(currentOf(entry), 2000)?.assignment;
  assert.deepEqual([note?.state, note?.killed, note?.redispatch], ['accepted', true, 2]);
  assert.ok(note && mayBecome('accepted', note.state, 'coordinator'));
  assert.deepEqual(changes(note, lost), { state: 'unknown', next: null, accepted: null, attempt: 1 });
  // Nothing is written where it would not start again anyway.
  for (const one of [note, { ...accepted, redispatch: 0 }]) {
    const { entry: known } = fold(undefined, written(7, 3, one));
    assert.equal(known && noteKill(currentOf(known), 2000), null);
  }
});

test('a task that a lost host has accepted starts again on another one only if that was asked for', () => {
  const accepted = anAssignment({ state: 'accepted', redispatch: 2 });
  assert.deepEqual(changes(accepted, lost), { state: 'revoked', next: 2, accepted: true, attempt: 1 });
  assert.equal(
    changes(anAssignment({ state: 'accepted', redispatch: 2, placement: named }), lost)?.state,
    'unknown',
  );
});

test('the next attempt is written only if nothing else was written about the task', () => {
  const revoked = anAssignment({ state: 'revoked', next: 2, accepted: true, redispatch: 2, startBy: 1500 });
  const decision = decided(revoked, allThere);
  assert.deepEqual([decision?.after, decision?.scope], [7, 'task']);
  const { host, attempt, state, redispatch, startBy, acceptedBefore } = decision?.assignment ?? revoked;
  // It had begun in time once.
  assert.deepEqual(
    [host, attempt, state, redispatch, startBy, acceptedBefore],
    ['h2', 2, 'assigned', 1, null, true],
  );
});

test('a task that never started keeps its time limit and its number of restarts on the next host', () => {
  const revoked = anAssignment({ state: 'revoked', next: 2, accepted: false, redispatch: 2, startBy: 2500 });
  const { redispatch, startBy, acceptedBefore } = decided(revoked, allThere)?.assignment ?? revoked;
  assert.deepEqual([redispatch, startBy, acceptedBefore], [2, 2500, false]);
});

test('the next attempt waits for a host, until its time is over', () => {
  const full = { ...allThere, place: () => null };
  const revoked = anAssignment({ state: 'revoked', next: 2, accepted: false, startBy: 2500 });
  assert.equal(decided(revoked, full), null);
  const sealed = decided(revoked, full, 2501);
  assert.deepEqual(
    [sealed?.assignment.state, sealed?.assignment.next, sealed?.scope],
    ['revoked', null, 'task'],
  );
});

test('the next attempt does not begin a day later, so that an old message published again starts nothing', () => {
  const revoked = anAssignment({ state: 'revoked', next: 2, accepted: true, redispatch: 1 });
  assert.equal(decided(revoked, allThere, 1000 + 25 * 3_600_000)?.assignment.next, null);
});

test('a cancelled task says whether it was accepted', () => {
  const of = (assignment: Assignment) => {
    const { entry } = fold(undefined, written(7, 3, assignment));
    assert.ok(entry);
    return cancel(entry, currentOf(entry), 'cancelled', 2000);
  };
  assert.deepEqual([of(anAssignment()).assignment.accepted, of(anAssignment()).scope], [false, 'attempt']);
  const waiting = of(anAssignment({ state: 'revoked', next: 2, accepted: true }));
  assert.deepEqual(
    [waiting.assignment.accepted, waiting.assignment.next, waiting.scope],
    [true, null, 'task'],
  );
});

test('a delivered task keeps its end', () => {
  const ended = endedBy(anAssignment());
  const { entry } = fold(undefined, written(7, 3, ended));
  assert.ok(entry);
  const { assignment, after, scope } = deliver(entry, currentOf(entry), 2000);
  assert.deepEqual([assignment.state, assignment.end, after, scope], ['delivered', ended.end, 7, 'attempt']);
});

test('when a host is given up, its open tasks are revoked, and accepted ones may have started', () => {
  const of = (state: Assignment['state']) =>
    forgetting({ seq: 7, assignment: anAssignment({ state }) }, 2000);
  assert.equal(of('assigned')?.assignment.accepted, false);
  assert.equal(of('accepted')?.assignment.accepted, true);
  assert.equal(of('unknown')?.assignment.accepted, true);
  for (const state of ['ended', 'delivered', 'revoked'] as const) assert.equal(of(state), null);
});
