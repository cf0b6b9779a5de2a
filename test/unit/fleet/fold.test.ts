import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  currentOf,
  fold,
  isFenced,
  type StoredMessage,
  type TaskEntry,
} from '../../../src/fleet/coordinator/fold.ts';
import { type AssignmentState, assignmentStates, mayBecome } from '../../../src/fleet/wire/assignment.ts';
import { acceptedBy, endedBy } from '../../support/fleet/host.ts';
import { anAssignment, claim, written } from '../../support/fleet/samples.ts';

function folded(...messages: StoredMessage[]): TaskEntry {
  const entry = messages.reduce<TaskEntry | undefined>((known, one) => fold(known, one).entry, undefined);
  assert.ok(entry);
  return entry;
}

/** An entry whose one attempt is in a state. */
function inState(state: AssignmentState): TaskEntry {
  const end = state === 'ended' || state === 'delivered' ? endedBy(anAssignment()).end : null;
  return folded(written(1, 0, anAssignment({ state, end })));
}

for (const from of assignmentStates)
  for (const to of ['accepted', 'ended'] as const) {
    const may = mayBecome(from, to, 'host');
    test(`a host's claim that a task is ${to} is ${may ? 'believed' : 'not believed'} if the task is ${from}`, () => {
      const said = to === 'accepted' ? acceptedBy(anAssignment(), 'e') : endedBy(anAssignment());
      const { entry, verdict } = fold(inState(from), claim(2, said));
      assert.equal(verdict === 'taken', may);
      assert.equal(entry && currentOf(entry).assignment.state, may ? to : from);
      // The next write is conditional on it in both cases.
      assert.equal(entry && currentOf(entry).seq, 2);
    });
  }

for (const state of ['assigned', 'revoked', 'unknown', 'delivered'] as const)
  test(`a host cannot say that a task is ${state}`, () => {
    const { verdict } = fold(inState('accepted'), claim(2, anAssignment({ state })));
    assert.ok(typeof verdict === 'object');
  });

test('a host cannot write on behalf of the coordinator', () => {
  const forged = { ...claim(2, anAssignment()), assignment: anAssignment({ state: 'revoked', next: 2 }) };
  const { entry, verdict } = fold(inState('accepted'), forged);
  assert.deepEqual(verdict, { refused: 'a message in the name of the coordinator, without its signature' });
  assert.equal(entry && currentOf(entry).assignment.state, 'accepted');
});

test('only the state, the local id and the end of a claim are taken', () => {
  const lie = { ...acceptedBy(anAssignment(), 'e'), redispatch: 9, client: 'me', startBy: 5, attempt: 1 };
  const { assignment } = currentOf(folded(written(1, 0, anAssignment()), claim(2, lie)));
  assert.deepEqual([assignment.redispatch, assignment.client, assignment.startBy], [0, 'c', null]);
});

test('a claim of another attempt, of another command, or of an end without the end is not believed', () => {
  const of = (said: Parameters<typeof anAssignment>[0]) =>
    fold(inState('accepted'), claim(2, { ...endedBy(anAssignment()), ...said })).verdict;
  assert.equal(of({}), 'taken');
  assert.ok(typeof of({ attempt: 2 }) === 'object');
  assert.ok(typeof of({ end: null }) === 'object');
  assert.ok(typeof of({ spec: { ...anAssignment().spec, command: 'rm' } }) === 'object');
});

test('an end without its environment, which a host cut to make it fit, is believed', () => {
  const spec = { ...anAssignment().spec, env: { A: 'b' } };
  const entry = folded(written(1, 0, anAssignment({ spec, state: 'accepted' })));
  assert.equal(fold(entry, claim(2, endedBy(anAssignment()))).verdict, 'taken');
});

test('an old message of the coordinator that a host publishes again is not believed', () => {
  const first = anAssignment();
  const entry = folded(written(1, 0, first), written(2, 1, anAssignment({ state: 'revoked', next: null })));
  const { verdict } = fold(entry, written(3, 0, first));
  assert.deepEqual(verdict, { refused: 'an old message of the coordinator, published again' });
});

test('a message that was read before changes nothing', () => {
  const entry = folded(written(5, 0, anAssignment()));
  assert.deepEqual(fold(entry, written(5, 0, anAssignment({ state: 'revoked' }))), {
    entry,
    verdict: 'known',
  });
});

test("a task that was assigned before the stream was lost is taken from its host's report, and never starts again", () => {
  const said = acceptedBy(anAssignment({ redispatch: 3 }), 'e');
  const { assignment } = currentOf(folded(claim(1, said)));
  assert.deepEqual([assignment.state, assignment.redispatch, assignment.accepted], ['accepted', 0, true]);
});

test("a task that nobody has assigned is not taken from a host's report", () => {
  const said = acceptedBy(anAssignment(), 'e');
  assert.deepEqual(fold(undefined, claim(1, said, false)).verdict, {
    refused: 'an attempt that nobody has assigned',
  });
  const revoked = anAssignment({ state: 'revoked', next: 2, redispatch: 1 });
  assert.ok(typeof fold(undefined, claim(1, revoked)).verdict === 'object');
});

test('the attempt with the highest number counts, on whichever host', () => {
  const second = anAssignment({ host: 'h2', attempt: 2 });
  const entry = folded(
    written(1, 0, anAssignment()),
    written(2, 1, anAssignment({ state: 'revoked', next: 2 })),
    written(3, 2, second),
  );
  assert.deepEqual(currentOf(entry), { seq: 3, assignment: second });
  assert.equal(entry.seq, 3);
});

test('a host is fenced from a revoked task, also after an acknowledgement, and from an older attempt', () => {
  const end = endedBy(anAssignment()).end;
  assert.equal(isFenced(anAssignment({ state: 'revoked' }), 1), true);
  assert.equal(isFenced(anAssignment({ state: 'delivered', end: null }), 1), true);
  assert.equal(isFenced(anAssignment({ state: 'delivered', end }), 1), false);
  assert.equal(isFenced(anAssignment({ state: 'unknown' }), 1), false);
  assert.equal(isFenced(anAssignment({ attempt: 2 }), 1), true);
});
