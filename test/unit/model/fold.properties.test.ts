import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import { isEnded, type Liveness } from '../../../src/model/words.ts';
import { anyFacts } from './arbitrary-facts.ts';
import {
  delivered,
  exit,
  gone,
  noOutput,
  outcome,
  pending,
  proven,
  sealedSpec,
  spec,
  started,
} from './sample-facts.ts';

const livenesses: readonly Liveness[] = ['yes', 'no', 'unknown'];

test('any facts in any order can be folded, decided and shown', () => {
  fc.assert(
    fc.property(anyFacts, fc.constantFrom(...livenesses), fc.boolean(), (log, alive, suspended) => {
      const facts = foldFacts(log);
      const snapshot = show(log, alive, suspended);
      const decision = decide(facts, alive);
      assert.equal(isEnded(snapshot.status), decision.state !== 'live');
      // One of the two is known of a task that has ended, and none of one that has not.
      const known = [snapshot.endedAt, snapshot.lastSeenAt].filter((at) => at !== null);
      assert.equal(known.length, decision.state === 'live' ? 0 : 1);
      assert.ok(snapshot.durationMs === null || snapshot.durationMs >= 0);
      // The facts are only read: a second look at the same list finds the same.
      assert.deepEqual(foldFacts(log), facts);
    }),
    { numRuns: 2_000 },
  );
});

test('while the shim lives only a proven end counts, whatever else the log says', () => {
  fc.assert(
    fc.property(anyFacts, fc.constantFrom(spec(), sealedSpec), (log, first) => {
      // Nobody guesses a secret.
      const running = [first, started(), ...log];
      assert.equal(decide(foldFacts(running), 'yes').state, 'live');
      // That of an exit that the end has to wait for ends nothing either.
      assert.equal(decide(foldFacts([...running, pending(0), ...log]), 'yes').state, 'live');
      // Without a spec, or with one that anybody could have appended, nothing is proven.
      assert.equal(decide(foldFacts([started(), ...running]), 'yes').state, 'live');
    }),
    { numRuns: 1_000 },
  );
});

test('an end that the shim has proven stays, whatever comes after it', () => {
  const told = [sealedSpec, started(), proven(7)];
  fc.assert(
    fc.property(anyFacts, fc.constantFrom(...livenesses), (more, alive) => {
      const settled = [...told, outcome({ id: 'true' }), delivered()];
      const decision = decide(foldFacts([...settled, ...more]), alive);
      assert.deepEqual(decision, { state: 'ended', outcome: outcome({ id: 'true' }), delivered: true });
      assert.notEqual(decide(foldFacts([...told, ...more]), 'yes').state, 'live');
    }),
    { numRuns: 1_000 },
  );
});

test('a task elsewhere is never judged: it is shown as live, or as recorded', () => {
  fc.assert(
    fc.property(anyFacts, (log) => {
      assert.notEqual(decide(foldFacts(log), 'unknown').state, 'settle');
    }),
  );
});

test('a dead task is settled as recorded, or still to be settled', () => {
  fc.assert(
    fc.property(anyFacts, (log) => {
      assert.notEqual(decide(foldFacts(log), 'no').state, 'live');
    }),
  );
});

test('a settled and delivered task stays so, unless the shim shows a sign of life', () => {
  const settled = [spec(), started(), exit(7), outcome({ id: 'true' }), delivered()];
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const more = facts.filter((fact) => !isSignOfLife(fact));
      const decision = decide(foldFacts([...settled, ...more]), 'no');
      assert.deepEqual(decision, { state: 'ended', outcome: outcome({ id: 'true' }), delivered: true });
    }),
    { numRuns: 1_000 },
  );
});

test('only a sign of life of the shim voids an outcome', () => {
  fc.assert(
    fc.property(anyFacts, anyFacts, (log, more) => {
      const before = decide(foldFacts(log), 'no');
      fc.pre(before.state === 'ended');
      const after = decide(foldFacts([...log, ...more]), 'no');
      if (after.state === 'ended' && after.outcome === before.outcome) {
        assert.ok(after.delivered || !before.delivered);
        return;
      }
      assert.ok(more.some(isSignOfLife), 'an outcome was taken back by nothing');
    }),
    { numRuns: 1_000 },
  );
});

test('a void outcome leaves no trace', () => {
  fc.assert(
    fc.property(anyFacts, (log) => {
      // A shim starts once: what repeats that is no sign of life. Nor is what would have to prove itself.
      const first = log.find((fact) => fact.fact === 'spec' || isSignOfLife(fact));
      const isSealed = first?.fact === 'spec' && first.seal !== undefined;
      const isFirst = (fact: Fact, at: number): boolean =>
        fact.fact === 'exit' || log.findIndex((other) => other.fact === fact.fact) === at;
      const aliveUntil = isSealed
        ? -1
        : log.findLastIndex((fact, at) => isSignOfLife(fact) && isFirst(fact, at));
      const without = log.filter(({ fact }, at) => fact !== 'outcome' || at > aliveUntil);
      assertSame(log, without);
    }),
    { numRuns: 2_000 },
  );
});

test('an outcome before the end that the shim has proven leaves no trace', () => {
  const ends = fc.constantFrom([proven(7)], [pending(7), gone()], [gone()]);
  fc.assert(
    fc.property(anyFacts, ends, anyFacts, (before, end, after) => {
      const without = before.filter(({ fact }) => fact !== 'outcome');
      const told = (facts: readonly Fact[]) => [sealedSpec, started(), ...facts, ...end, ...after];
      assertSame(told(before), told(without));
    }),
    { numRuns: 1_000 },
  );
});

test('a spec that is appended after the end seals nothing before it', () => {
  const settled = [spec(), started(), exit(7), outcome({ id: 'true' })];
  const decision = decide(foldFacts([...settled, { ...spec(), seal: 'forged' }]), 'no');
  assert.deepEqual(decision, { state: 'ended', outcome: outcome({ id: 'true' }), delivered: false });
  const headless = [exit(7), outcome({ id: 'true' })];
  const forged = decide(foldFacts([...headless, { ...spec(), seal: 'forged' }]), 'no');
  assert.deepEqual(forged, decide(foldFacts(headless), 'no'));
});

function assertSame(one: readonly Fact[], other: readonly Fact[]): void {
  for (const alive of livenesses)
    assert.deepEqual(decide(foldFacts(one), alive), decide(foldFacts(other), alive));
}

function isSignOfLife({ fact }: Fact): boolean {
  return ['waiting', 'started', 'exit'].includes(fact);
}

function show(log: readonly Fact[], alive: Liveness, suspended: boolean) {
  return snapshotOf(foldFacts(log), {
    taskId: 'bgb-0123abcd0123',
    sessionId: 'session-1',
    alive,
    suspended,
    nowMs: 1_700_000_100_000,
    modifiedAt: 1_700_000_050_000,
    output: noOutput,
  });
}
