import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldFacts, shimOf } from '../../../src/model/fold.ts';
import { claim, cut, delivered, exit, outcome, spec, started, stop, waiting } from './sample-facts.ts';

const ended = [spec(), started(), exit(0), outcome()];

test('claims are kept in order until they are given back', () => {
  const given = foldFacts([...ended, claim('a'), claim('b'), { fact: 'unclaim', id: 'a' }]);
  assert.deepEqual(
    given.claims.map(({ id }) => id),
    ['b'],
  );
  const again = foldFacts([...ended, claim('a'), { fact: 'unclaim', id: 'a' }, claim('b'), claim('a')]);
  assert.deepEqual(
    again.claims.map(({ id }) => id),
    ['b', 'a'],
  );
});

test('giving back a claim that nobody made changes nothing', () => {
  const facts = foldFacts([...ended, claim('a'), { fact: 'unclaim', id: 'b' }]);
  assert.deepEqual(
    facts.claims.map(({ id }) => id),
    ['a'],
  );
});

test('the claims of a void outcome are void, too', () => {
  assert.deepEqual(foldFacts([spec(), outcome(), claim('a'), started()]).claims, []);
});

test('a stop request after the outcome is open until it is answered', () => {
  const leftovers = stop('leftovers', 'stop-2');
  const open = foldFacts([...ended, leftovers]);
  assert.equal(open.openStop, leftovers);
  assert.equal(open.stop, undefined);
  const survivors = [{ pid: 600, command: 'sleep', start: 5 }];
  const answered = foldFacts([...ended, leftovers, { fact: 'stopped', id: 'stop-2', survivors }]);
  assert.equal(answered.openStop, undefined);
  assert.deepEqual(answered.stopped?.survivors, survivors);
});

test('an answer to a stop that nobody requested is ignored', () => {
  assert.equal(foldFacts([...ended, { fact: 'stopped', id: 'stop-2', survivors: [] }]).stopped, undefined);
});

test('the shim is identified by its start fact, else by its waiting fact', () => {
  assert.deepEqual(shimOf(foldFacts([spec(), waiting({ pid: 7, start: 8 })])), {
    fact: 'waiting',
    locks: true,
    pid: 7,
    start: 8,
  });
  const both = foldFacts([spec(), waiting(), started({ shimPid: 9, shimStart: null })]);
  assert.deepEqual(shimOf(both), { pid: 9, start: null });
  assert.equal(shimOf(foldFacts([spec()])), undefined);
});

test('the first spec and the first start count', () => {
  const facts = foldFacts([spec({ command: 'a' }), started({ pid: 7 }), spec({ command: 'b' }), started()]);
  assert.equal(facts.spec?.command, 'a');
  assert.equal(facts.started?.pid, 7);
});

test('every cut is kept, and the number of facts tells an empty log', () => {
  const cuts = [cut(), cut({ stream: 'stderr' })];
  const facts = foldFacts([...ended, delivered(), ...cuts]);
  assert.deepEqual(facts.cuts, cuts);
  assert.equal(facts.count, 7);
  assert.equal(foldFacts([]).count, 0);
});

test('the copy of a marker that comes after the outcome voids it, unless it is the second copy of the same', () => {
  const copy = { ...exit(5), copied: 1_000 };
  const again = foldFacts([spec(), started(), copy, outcome(), copy]);
  assert.notEqual(again.outcome, undefined, 'two readers have copied one marker');
  const early = foldFacts([spec(), started(), outcome(), copy]);
  assert.equal(early.outcome, undefined, 'nothing had ended when somebody said so');
  assert.equal(early.exit?.code, 5);
  const forged = foldFacts([spec(), started(), { ...exit(0), copied: 900 }, outcome(), copy]);
  assert.deepEqual([forged.outcome, forged.exit?.code], [undefined, 5]);
});
