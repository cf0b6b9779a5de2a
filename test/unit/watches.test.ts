import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact, SeenFact, WatchFact } from '../../src/model/facts.ts';
import { foldFacts } from '../../src/model/fold.ts';
import { isFirstToSee, seenOffset } from '../../src/model/watches.ts';

const watch = (id = 'w', more: Partial<WatchFact> = {}): WatchFact => ({
  fact: 'watch',
  id,
  pattern: { text: 'ready' },
  stream: 'stdout',
  from: 0,
  at: 1,
  ...more,
});
const seen = (offset: number, id = 'a', name = 'w'): SeenFact => ({
  fact: 'seen',
  watch: name,
  id,
  offset,
  at: 2,
});

function only(...facts: Fact[]) {
  const [found, ...more] = foldFacts(facts).watches;
  assert.deepEqual(more, []);
  assert.ok(found);
  return found;
}

test('a watch that is open stays as it was first asked for, and one that is over can be opened anew', () => {
  const again = watch('w', { from: 5 });
  assert.equal(only(watch(), again).fact.from, 0);
  const anew = only(watch(), seen(9), { fact: 'unwatch', watch: 'w' }, again);
  assert.deepEqual([anew.fact.from, anew.closed, seenOffset(anew)], [5, false, -1]);
  assert.equal(only(watch(), { fact: 'unwatch', watch: 'w' }).closed, true);
});

test('of several acknowledgements the first that goes so far counts, and what goes back changes nothing', () => {
  const found = only(watch(), seen(9, 'a'), seen(5, 'b'), seen(9, 'c'), seen(20, 'd'));
  assert.equal(seenOffset(found), 20);
  const firsts = [0, 9, 10, 20].map((line) =>
    ['a', 'b', 'c', 'd'].filter((id) => isFirstToSee(found, line, id)),
  );
  assert.deepEqual(firsts, [['a'], ['a'], ['d'], ['d']]);
  assert.equal(isFirstToSee(found, 21, 'd'), false);
});

test('facts of watches that are not there, or are over, change nothing', () => {
  assert.deepEqual(foldFacts([seen(1), { fact: 'unwatch', watch: 'w' }]).watches, []);
  assert.equal(seenOffset(only(watch(), seen(1, 'a', 'other'))), -1);
  assert.equal(seenOffset(only(watch(), { fact: 'unwatch', watch: 'w' }, seen(1))), -1);
});

test('whatever two processes acknowledge in whatever order, each line has one first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 12 }), fc.nat(60), (offsets, line) => {
      const found = only(watch(), ...offsets.map((offset, at) => seen(offset, `id-${at}`)));
      const firsts = offsets.filter((_, at) => isFirstToSee(found, line, `id-${at}`));
      assert.equal(firsts.length, offsets.some((offset) => offset >= line) ? 1 : 0);
    }),
  );
});
