import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomHex } from '../../../src/util/crypto.ts';

test('random digits have the requested length, and never repeat', () => {
  const seen = new Set<string>();
  for (const bytes of [4, 6, 8, 16, 64]) {
    for (let count = 0; count < 500; count += 1) {
      const hex = randomHex(bytes);
      assert.match(hex, new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
      // A pool whose used part was wiped would give zeros.
      assert.doesNotMatch(hex, /^0+$/);
      if (bytes > 4) assert.ok(!seen.has(hex), hex);
      seen.add(hex);
    }
  }
});
