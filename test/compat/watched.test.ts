import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFirstToSee, seenOffset, tellingsOf } from '../../src/model/watches.ts';
import { by, folded } from './sample.ts';

// The facts of durable watches, in the log of a whole life. They must mean the same for ever.

test('watches keep their meaning: what was acknowledged, by whom first, and which are over', () => {
  const [errors, ready, ...more] = folded('task.jsonl').watches;
  assert.deepEqual(more, []);
  assert.ok(errors !== undefined && ready !== undefined);
  assert.deepEqual([errors.fact.id, errors.closed, seenOffset(errors, 0)], ['errors', true, 812]);
  assert.deepEqual([ready.fact.id, ready.closed, seenOffset(ready, 0)], ['ready', false, -1]);
  assert.deepEqual(
    [
      isFirstToSee(errors, { lineOffset: 80, beginsAt: 0 }, 'c0ffee000002'),
      isFirstToSee(errors, { lineOffset: 80, beginsAt: 0 }, 'c0ffee000001'),
    ],
    [false, true],
  );
});

test('a watch for one match keeps its meaning: it is over with its first acknowledgement', () => {
  const [listening, ready, ...more] = folded('watched-once.jsonl').watches;
  assert.deepEqual(more, []);
  const told = [listening, ready].map((watch) => [watch?.fact.once, watch?.closed]);
  assert.deepEqual(told, [
    [true, true],
    [true, false],
  ]);
});

test('acknowledgements in a shortened output keep their meaning, and one before its beginning counts for nothing', () => {
  const [errors, ...more] = folded('erased.jsonl').watches;
  assert.deepEqual(more, []);
  assert.deepEqual(
    errors?.seen.map(({ id, offset, begins }) => [id, offset, begins]),
    [
      ['c0ffee000011', 812, undefined],
      ['c0ffee000012', 1_045, 1_000],
      ['c0ffee000013', 1_030, 990],
    ],
  );
  assert.ok(errors !== undefined);
  assert.deepEqual(
    [seenOffset(errors, 1_000), seenOffset(errors, 990), seenOffset(errors, 2_000)],
    [1_045, 1_035, -1],
  );
});

test('claims of lines keep their meaning: who tells which lines, and when they were printed', () => {
  const [errors, ...more] = folded('told-lines.jsonl').watches;
  assert.deepEqual(more, []);
  assert.ok(errors !== undefined);
  const [id, from, to, party, at] = ['c0ffee000031', 12, 80, 'conversation-42', 1_795_848_970_100];
  const printed = { fact: 'telling', watch: 'errors', id, from, to, by, party, at };
  const idsOf = (lineOffset: number, beginsAt = 0): string[] =>
    tellingsOf(errors, { lineOffset, beginsAt }).map((telling) => telling.id);
  assert.deepEqual(errors.tellings.get(id), printed);
  assert.deepEqual([idsOf(11), idsOf(12), idsOf(80), idsOf(81), idsOf(100)], [[], [id], [id], [], []]);
  assert.deepEqual(
    [idsOf(1_042, 1_000), idsOf(42), idsOf(1_042, 2_000)],
    [['c0ffee000033'], [id, 'c0ffee000033'], []],
  );
});
