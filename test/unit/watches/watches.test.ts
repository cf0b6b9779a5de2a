import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import type { SeenFact, WatchFact } from '../../../src/model/watch-facts.ts';
import { isFirstToSee, seenOffset, watchesAgain } from '../../../src/model/watches.ts';

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

/** A line in a file that nobody has made shorter. */
const line0 = (lineOffset: number) => ({ lineOffset, beginsAt: 0 });

function only(...facts: Fact[]) {
  const [found, ...more] = foldFacts(facts).watches;
  assert.deepEqual(more, []);
  assert.ok(found);
  return found;
}

test('a watch for one match is over when its match is acknowledged, and not before', () => {
  const once = watch('w', { once: true });
  assert.equal(only(once).closed, false);
  const over = only(once, seen(9), seen(12, 'b'));
  assert.deepEqual([over.closed, seenOffset(over, 0)], [true, 9]);
  assert.equal(isFirstToSee(over, line0(9), 'a'), true);
  assert.equal(only(watch(), seen(9)).closed, false);
  const anew = only(once, seen(9), watch());
  assert.deepEqual([anew.closed, seenOffset(anew, 0)], [false, -1]);
});

test('an open watch keeps its first definition, and a closed one can be opened again', () => {
  const again = watch('w', { from: 5 });
  assert.equal(only(watch(), again).fact.from, 0);
  const anew = only(watch(), seen(9), { fact: 'unwatch', watch: 'w' }, again);
  assert.deepEqual([anew.fact.from, anew.closed, seenOffset(anew, 0)], [5, false, -1]);
  assert.equal(only(watch(), { fact: 'unwatch', watch: 'w' }).closed, true);
});

test('the first acknowledgement up to an offset counts, and one that goes back changes nothing', () => {
  const found = only(watch(), seen(9, 'a'), seen(5, 'b'), seen(9, 'c'), seen(20, 'd'));
  assert.equal(seenOffset(found, 0), 20);
  const firsts = [0, 9, 10, 20].map((line) =>
    ['a', 'b', 'c', 'd'].filter((id) => isFirstToSee(found, line0(line), id)),
  );
  assert.deepEqual(firsts, [['a'], ['a'], ['d'], ['d']]);
  assert.equal(isFirstToSee(found, line0(21), 'd'), false);
});

test('acknowledgements in a restarted file are distinguished from earlier ones, for processes that count differently', () => {
  const at = (begins: number, place: number, id: string): SeenFact => ({
    ...seen(begins + place, id),
    begins,
  });
  // Up to 45 in the first file; up to 20 in the next one, which begins at 1000 for one process and at 990 for another.
  const found = only(watch(), seen(45, 'a'), at(1_000, 20, 'b'), at(990, 12, 'c'), at(1_000, 8, 'd'));
  assert.deepEqual(
    found.seen.map(({ id }) => id),
    ['a', 'b', 'c'],
  );
  assert.deepEqual([seenOffset(found, 990), seenOffset(found, 1_000)], [1_010, 1_020]);
  // A third one begins behind them: nothing of it is acknowledged.
  assert.equal(seenOffset(found, 1_001), -1);
  // What was not acknowledged of the file before is behind what was of the next.
  assert.equal(seenOffset(found, 0), 45);
  assert.equal(isFirstToSee(found, { lineOffset: 1_015, beginsAt: 1_000 }, 'b'), true);
  assert.equal(isFirstToSee(found, { lineOffset: 1_000, beginsAt: 990 }, 'c'), true);
  assert.equal(isFirstToSee(found, { lineOffset: 1_005, beginsAt: 1_000 }, 'c'), false);
});

test('facts of missing or closed watches change nothing', () => {
  assert.deepEqual(foldFacts([seen(1), { fact: 'unwatch', watch: 'w' }]).watches, []);
  assert.equal(seenOffset(only(watch(), seen(1, 'a', 'other')), 0), -1);
  assert.equal(seenOffset(only(watch(), { fact: 'unwatch', watch: 'w' }, seen(1)), 0), -1);
});

test('whatever two processes acknowledge, in any order, exactly one is first for each line', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 12 }), fc.nat(60), (offsets, line) => {
      const found = only(watch(), ...offsets.map((offset, at) => seen(offset, `id-${at}`)));
      const firsts = offsets.filter((_, at) => isFirstToSee(found, line0(line), `id-${at}`));
      assert.equal(firsts.length, offsets.some((offset) => offset >= line) ? 1 : 0);
    }),
  );
});

test('the next run of a task has the watches that were not removed, from its first byte on', () => {
  const over = (name: string, ended?: true): Fact => ({
    fact: 'unwatch',
    watch: name,
    ...(ended && { ended }),
  });
  const facts: Fact[] = [
    watch('open', { from: 7 }),
    watch('removed'),
    over('removed'),
    watch('ended'),
    over('ended', true),
    watch('told', { once: true }),
    seen(9, 'a', 'told'),
    watch('again'),
    over('again', true),
    watch('again'),
    over('again'),
  ];
  const again = watchesAgain(foldFacts(facts).watches, 99);
  assert.deepEqual(again, [watch('open', { from: 0, at: 99 }), watch('ended', { from: 0, at: 99 })]);
  const many = Array.from({ length: 20 }, (_, n) => [watch(`w${n}`), over(`w${n}`, true)]).flat();
  const last = watchesAgain(foldFacts(many).watches, 1);
  assert.deepEqual([last.length, last.at(-1)?.id], [16, 'w19']);
});
