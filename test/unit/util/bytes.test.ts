import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesBehind, characterEnd, characterStart } from '../../../src/util/bytes.ts';

/** Text with characters of one to four bytes. */
const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '한', '€', '👩', '\u0300') });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const strict = new TextDecoder('utf-8', { fatal: true });

test('text cut at the end of a character has no broken character, and lacks at most one', () => {
  fc.assert(
    fc.property(text, share, (whole, part) => {
      const bytes = Buffer.from(whole);
      const wanted = Math.floor(bytes.length * part);
      const end = characterEnd(bytes, wanted);
      assert.ok(end <= wanted && end > wanted - 4);
      assert.ok(whole.startsWith(strict.decode(bytes.subarray(0, end))));
      // Not one byte more could have been kept: the largest such index.
      const decodes = (at: number): boolean => isWhole(bytes.subarray(0, at));
      for (let at = end + 1; at <= wanted; at += 1) assert.ok(!decodes(at));
    }),
    { numRuns: 2_000 },
  );
});

test('text cut at the start of a character has no broken character, and lacks at most one', () => {
  fc.assert(
    fc.property(text, share, (whole, part) => {
      const bytes = Buffer.from(whole);
      const wanted = Math.floor(bytes.length * part);
      const start = characterStart(bytes, wanted);
      assert.ok(start >= wanted && start < wanted + 4);
      assert.ok(whole.endsWith(strict.decode(bytes.subarray(start))));
      for (let at = wanted; at < start; at += 1) assert.ok(!isWhole(bytes.subarray(at)));
    }),
    { numRuns: 2_000 },
  );
});

test('text that is read in pieces of any size, each cut at a character, is complete', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 4, max: 9 }), (whole, size) => {
      const bytes = Buffer.from(whole);
      let found = '';
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + size);
        const end = characterEnd(piece, piece.length);
        assert.notEqual(end, 0);
        found += strict.decode(piece.subarray(0, end));
        at += end;
      }
      assert.equal(found, whole);
    }),
    { numRuns: 1_000 },
  );
});

test('in binary data an end or start is within three bytes of the requested one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), share, (bytes, part) => {
      const wanted = Math.floor(bytes.length * part);
      const end = characterEnd(bytes, wanted);
      const start = characterStart(bytes, wanted);
      assert.ok(end >= 0 && end <= wanted && wanted - end <= 3);
      assert.ok(start <= bytes.length && start >= wanted && start - wanted <= 3);
    }),
    { numRuns: 2_000 },
  );
});

test('bytes that can never become a character cause no wait', () => {
  const invalid = { 'a byte that is never used': [0x61, 0xff], 'a lone continuation': [0x61, 0x80] };
  for (const [what, bytes] of Object.entries(invalid)) {
    assert.equal(characterEnd(Uint8Array.from(bytes), bytes.length), bytes.length, what);
  }
});

test('a text says how many bytes each part of it came from, also for invalid bytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 24 }),
    // What UTF-8 allows behind some bytes, and no others.
    fc.array(
      fc.constantFrom(
        0x41,
        0x7f,
        0x80,
        0x8f,
        0x90,
        0x9f,
        0xa0,
        0xbf,
        0xc1,
        0xc2,
        0xe0,
        0xe2,
        0xed,
        0xf0,
        0xf4,
        0xf5,
      ),
      { maxLength: 24 },
    ),
    text.map((whole) => [...Buffer.from(whole)]),
  );
  fc.assert(
    fc.property(bytes, fc.nat({ max: 30 }), (values, units) => {
      const buffer = Buffer.from(values);
      const decoded = buffer.toString('utf8');
      const at = bytesBehind(buffer, units);
      const first = buffer.toString('utf8', 0, at);
      // Half of a pair of surrogates comes from a whole character.
      const whole = Math.min(decoded.length, first.length);
      assert.equal(first, decoded.slice(0, whole));
      assert.ok(whole === Math.min(units, decoded.length) || whole === units + 1, `${whole} for ${units}`);
    }),
    { numRuns: 5_000 },
  );
});

function isWhole(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
