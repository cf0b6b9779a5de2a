import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { anyFacts } from './arbitrary-facts.ts';
import {
  delivered,
  exit,
  gone,
  left,
  outcome,
  pending,
  proven,
  refused,
  sealedSpec,
  spec,
  started,
  stop,
} from './sample-facts.ts';

const begun = [sealedSpec, started()];
const watch: Fact = { fact: 'watch', id: 'w', pattern: { text: 'x' }, stream: 'stdout', from: 0, at: 1 };
const unwatch: Fact = { fact: 'unwatch', watch: 'w' };
const hooked: Fact = {
  fact: 'hooked',
  code: 0,
  exitSignal: null,
  cause: null,
  errno: null,
  at: null,
  monoMs: null,
};
const hook = { command: 'true', shell: '/bin/sh', env: {} };

const done: Record<string, readonly Fact[]> = {
  'ended, told and acknowledged': [...begun, proven(0), outcome(), delivered()],
  'with leftovers that have ended': [
    ...begun,
    proven(0, { left: 1 }),
    left(),
    outcome(),
    delivered(),
    gone(),
  ],
  'with an end that waited for leftovers': [...begun, pending(0), gone(), outcome(), delivered()],
  'of a command that was not run': [
    sealedSpec,
    stop('kill'),
    refused,
    outcome({ startedAt: null }),
    delivered(),
  ],
  'with a watch that is over': [...begun, watch, proven(0), outcome(), delivered(), unwatch],
  'with leftovers that were counted by a look': [...begun, proven(0, { left: null }), outcome(), delivered()],
};

const notDone: Record<string, readonly Fact[]> = {
  'that nobody has acknowledged': [...begun, proven(0), outcome()],
  'whose end nobody has recorded': [...begun, proven(0), delivered()],
  'whose end is not proven': [...begun, exit(0), outcome(), delivered()],
  'without a seal': [spec(), started(), exit(0), outcome(), delivered()],
  'that is lost': [...begun, outcome(), delivered()],
  'that has left processes': [...begun, proven(0, { left: 1 }), left(), outcome(), delivered()],
  'whose end waits for leftovers, whatever it says of itself': [
    ...begun,
    pending(0),
    outcome(),
    delivered(),
    { fact: 'gone' } as Fact,
  ],
  'with an open watch': [...begun, watch, proven(0), outcome(), delivered()],
  'with leftovers that are being stopped': [
    ...begun,
    proven(0, { left: 1 }),
    outcome(),
    stop('leftovers'),
    delivered(),
  ],
};

for (const [kind, facts] of Object.entries(done))
  test(`a task is done: one ${kind}`, () => assert.equal(foldFacts(facts).isDone, true));

for (const [kind, facts] of Object.entries(notDone))
  test(`a task is not done: one ${kind}`, () => assert.equal(foldFacts(facts).isDone, false));

test('a task with a hook is done when the hook has ended', () => {
  const hookedSpec = { ...sealedSpec, onExit: hook } as unknown as Fact;
  const facts = [hookedSpec, started(), proven(0), outcome(), delivered()];
  assert.equal(foldFacts(facts).isDone, false);
  assert.equal(foldFacts([...facts, hooked]).isDone, true);
});

test('a done task stays done, and later facts open nothing and change no end', () => {
  const secrets = fc.constantFrom<Fact[]>([], [gone()], [left(), gone()]);
  fc.assert(
    fc.property(anyFacts, anyFacts, anyFacts, secrets, (before, between, after, secret) => {
      const prefix = [...begun, ...before, proven(0), ...between, outcome(), delivered()];
      const facts = foldFacts(prefix);
      const later = foldFacts([...prefix, ...after, stop('kill'), watch, ...secret]);
      if (!facts.isDone) return;
      assert.equal(later.isDone, true);
      assert.deepEqual(decide(later, 'no'), decide(facts, 'no'));
      assert.equal(later.openStop, undefined);
      assert.ok(later.watches.every(({ closed }) => closed));
    }),
    { numRuns: 2_000 },
  );
});
