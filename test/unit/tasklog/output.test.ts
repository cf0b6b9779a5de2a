import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parseFact } from '../../../src/tasklog/codec.ts';
import { outputSize, readOutput, tailOutput } from '../../../src/tasklog/output.ts';
import { cut } from '../model/sample-facts.ts';

const folder = mkdtempSync(join(tmpdir(), 'outlive-output-'));
after(() => rmSync(folder, { recursive: true }));

// What the command wrote: 100 bytes, of which each tells its offset.
const written = Buffer.from(Array.from({ length: 100 }, (_none, index) => index));
const whole = join(folder, 'whole.out');
writeFileSync(whole, written);

// The same after a cut: 10 bytes of head, a notice of 5, 10 bytes of tail.
const shortened = join(folder, 'shortened.out');
const shortenedBytes = Buffer.concat([written.subarray(0, 10), Buffer.from('NOTE\n'), written.subarray(90)]);
writeFileSync(shortened, shortenedBytes);

test('a cut fact alone cuts nothing: the size of the file shows whether the shorter one is in place', () => {
  const file = { path: whole, cut: cut() };
  assert.equal(outputSize(file), 100);
  assert.deepEqual([...readOutput(file, 50, 3).bytes], [50, 51, 52]);
});

test('after a cut, bytes keep their offsets, and the size is what the command wrote', () => {
  const file = { path: shortened, cut: cut() };
  assert.equal(outputSize(file), 100);
  assert.deepEqual([...readOutput(file, 8, 100).bytes], [8, 9]);
  assert.deepEqual([...readOutput(file, 95, 2).bytes], [95, 96]);
});

test('a read in the gap goes on after it, and says how much is missing', () => {
  const found = readOutput({ path: shortened, cut: cut() }, 40, 4);
  assert.deepEqual([...found.bytes], [90, 91, 92, 93]);
  assert.equal(found.offset, 90);
  assert.equal(found.nextOffset, 94);
  assert.equal(found.omittedBytes, 50);
});

test('repeated reads from 0 give all existing bytes once, whatever the size of the reads', () => {
  for (const [path, expected] of [
    [whole, [...written]],
    [shortened, [...written.subarray(0, 10), ...written.subarray(90)]],
  ] as const) {
    for (const size of [1, 3, 7, 200]) {
      const bytes: number[] = [];
      for (let offset = 0; offset < 100; ) {
        const found = readOutput({ path, cut: cut() }, offset, size);
        assert.ok(found.bytes.length <= size && found.nextOffset > offset);
        bytes.push(...found.bytes);
        offset = found.nextOffset;
      }
      assert.deepEqual(bytes, expected);
    }
  }
});

test('the tail is the end, and says what it leaves out', () => {
  const found = tailOutput({ path: whole, cut: undefined }, 4);
  assert.deepEqual([...found.bytes], [96, 97, 98, 99]);
  assert.equal(found.omittedBytes, 96);
});

test('a missing file, or something that is not a file, has no output', () => {
  for (const path of [join(folder, 'none.out'), folder]) {
    assert.equal(readOutput({ path, cut: undefined }, 5, 10).bytes.length, 0);
    assert.equal(tailOutput({ path, cut: undefined }, 10).size, 0);
  }
});

test('whatever a cut fact says, reading neither fails nor gives more than was asked for', () => {
  const edge = fc.oneof(
    fc.integer({ min: -30, max: 130 }),
    fc.double({ noNaN: true }),
    fc.constantFrom(1e300, -25),
  );
  fc.assert(
    fc.property(
      edge,
      edge,
      edge,
      fc.nat(120),
      fc.integer({ min: 1, max: 120 }),
      (head, tail, notice, offset, max) => {
        // The number that makes the fact agree with the file's size, so that it is taken for true.
        const bytes = shortenedBytes.length - head - notice + tail;
        const fact = parseFact(JSON.stringify({ fact: 'cut', stream: 'stdout', head, tail, bytes, notice }));
        if (fact?.fact !== 'cut') return;
        const file = { path: shortened, cut: fact };
        assert.ok(readOutput(file, offset, max).bytes.length <= max);
        assert.ok(tailOutput(file, max).bytes.length <= max);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a tail that is longer than the kept end is only the kept end, even if the head would fit, too', () => {
  for (const size of [10, 11, 50, 90, 95, 100, 1_000]) {
    const found = tailOutput({ path: shortened, cut: cut() }, size);
    assert.deepEqual([...found.bytes], [...written.subarray(90)], `${size}`);
    assert.deepEqual([found.offset, found.nextOffset, found.omittedBytes], [90, 100, 90]);
  }
});
