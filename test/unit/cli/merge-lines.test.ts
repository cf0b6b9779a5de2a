import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Line } from '../../../src/cli/logs/line-source.ts';
import { type Batches, mergeLines } from '../../../src/cli/logs/merge-lines.ts';

/** A stream whose lines were written at some times, some of them at once. */
async function* stream(name: string, batches: readonly (readonly (number | null)[])[]): Batches {
  let count = 0;
  for (const batch of batches)
    yield batch.map((at) => {
      count += 1;
      return { at, bytes: Buffer.from(`${name}${count}`) } as Line;
    });
}

async function merged(streams: readonly Batches[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of mergeLines(streams)) lines.push(...some);
  return lines;
}

const namesOf = (lines: readonly Line[]): string => lines.map(({ bytes }) => String(bytes)).join(' ');

test('lines come in the order of their times; lines of one time stay together, lines without a time come first', async () => {
  const cases: [Batches[], string][] = [
    [[], ''],
    [[stream('a', []), stream('b', [[]])], ''],
    [[stream('a', [[1, 1], [3]]), stream('b', [[2, 2, 4]])], 'a1 a2 b1 b2 a3 b3'],
    [[stream('a', [[5], [5], [6]]), stream('b', [[5, 5]])], 'a1 a2 b1 b2 a3'],
    [[stream('a', [[1]]), stream('b', [[null], [], [null]])], 'b1 b2 a1'],
    [[stream('a', [[2]]), stream('b', [[1]]), stream('c', [[0]])], 'c1 b1 a1'],
  ];
  for (const [streams, expected] of cases) assert.equal(namesOf(await merged(streams)), expected);
});

test('no line is lost or doubled, each stream keeps its order, and times do not go back', async () => {
  const times = fc.array(fc.nat(20), { maxLength: 12 }).map((all) => all.toSorted((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(fc.array(times, { maxLength: 5 }), fc.integer({ min: 1, max: 4 }), async (all, size) => {
      const streams = all.map((own, index) => {
        const batches = Array.from({ length: Math.ceil(own.length / size) }, (_, at) =>
          own.slice(at * size, (at + 1) * size),
        );
        return stream(String.fromCharCode(97 + index), batches);
      });
      const lines = await merged(streams);
      const told = lines.map(({ at }) => at ?? 0);
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
      );
      for (const [index, own] of all.entries()) {
        const name = String.fromCharCode(97 + index);
        const mine = lines.map(({ bytes }) => String(bytes)).filter((text) => text.startsWith(name));
        assert.deepEqual(
          mine,
          own.map((_, at) => `${name}${at + 1}`),
        );
      }
    }),
  );
});
