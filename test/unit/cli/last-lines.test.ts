import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Readable, startOfLastLines } from '../../../src/cli/last-lines.ts';

/** Output as a task gives it, with what was cut out of it; says how much was read at a time at most. */
function outputOf(
  text: string,
  cut: readonly [number, number] | null = null,
): Readable & { most: () => number } {
  const all = Buffer.from(text, 'latin1');
  const [head, tail] = cut ?? [all.length, all.length];
  let most = 0;
  const read: Readable['read'] = async ({ offset: from = 0, maxBytes = 0 } = {}) => {
    most = Math.max(most, maxBytes);
    const offset = from >= head && from < tail ? tail : Math.min(from, all.length);
    const end = Math.min(offset + maxBytes, offset < head ? head : all.length);
    const bytes = all.subarray(offset, end);
    const rest = { text: '', plain: '', size: all.length, beginsAt: 0, more: false };
    return { ...rest, bytes, offset, nextOffset: end, omittedBytes: offset - from };
  };
  return { read, tail: async () => await read({ offset: all.length, maxBytes: 1 }), most: () => most };
}

/** The same by looking at everything: the last lines behind the cut, and if these are too few of those in front. */
function expected(text: string, count: number, [head, tail]: readonly [number, number]): number {
  const startIn = (from: number, to: number, lines: number): [number, number] => {
    const starts = [...text.slice(from, to)].flatMap((_, at) =>
      at === 0 || text[from + at - 1] === '\n' ? [from + at] : [],
    );
    return [lines === 0 ? to : (starts.at(-lines) ?? from), starts.length];
  };
  const [start, lines] = startIn(tail, text.length, count);
  return lines >= count || tail === 0 ? start : startIn(0, head, count - lines)[0];
}

test('the last lines are found, whatever they contain and whatever was cut out', async () => {
  const texts = fc.string({ unit: fc.constantFrom('a', '\n'), maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(texts, fc.nat({ max: 8 }), fc.nat(30), fc.nat(30), async (text, count, a, b) => {
      const [head = 0, tail = 0] = [Math.min(a, text.length), Math.min(b, text.length)].toSorted(
        (x, y) => x - y,
      );
      const isCut = tail > head && tail < text.length;
      const cut: [number, number] = isCut ? [head, tail] : [0, 0];
      const found = await startOfLastLines(outputOf(text, isCut ? cut : null), 'stdout', count);
      // A line that begins just behind the cut may be told as beginning where the part in front of it ends.
      const wanted = expected(text, count, cut);
      assert.ok(found === wanted || (isCut && found === head && wanted === tail), `${found}, not ${wanted}`);
    }),
    { numRuns: 2_000 },
  );
});

test('a line of many megabytes is read in bounded pieces', async () => {
  const long = 'a'.repeat(3_000_000);
  const output = outputOf(`first\n${long}\n${long}`);
  assert.equal(await startOfLastLines(output, 'stdout', 2), 6);
  assert.equal(await startOfLastLines(output, 'stdout', 3), 0);
  assert.ok(output.most() <= 256 * 1024);
});
