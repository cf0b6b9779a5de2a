import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DetachKeys } from '../../../src/engine/interact/detach-keys.ts';

/** What is typed of some pieces, and whether they leave. */
function typedOf(pieces: readonly string[], keys = '\x1cd'): { typed: string; leaves: boolean } {
  const detach = new DetachKeys(Buffer.from(keys));
  let typed = '';
  for (const piece of pieces) {
    const taken = detach.take(Buffer.from(piece));
    typed += taken.typed.toString();
    if (taken.leaves) return { typed, leaves: true };
  }
  return { typed, leaves: false };
}

test('the detach keys leave, in one piece or in two, and nothing after them is typed', () => {
  assert.deepEqual(typedOf(['ab\x1cdcd']), { typed: 'ab', leaves: true });
  assert.deepEqual(typedOf(['ab\x1c', 'd']), { typed: 'ab', leaves: true });
});

test('keys that only begin like the detach keys are typed', () => {
  assert.deepEqual(typedOf(['\x1cx']), { typed: '\x1cx', leaves: false });
  assert.deepEqual(typedOf(['\x1c', 'x']), { typed: '\x1cx', leaves: false });
  assert.deepEqual(typedOf(['d']), { typed: 'd', leaves: false });
});

test('the first key, pressed twice, is typed once', () => {
  assert.deepEqual(typedOf(['\x1c\x1c']), { typed: '\x1c', leaves: false });
  assert.deepEqual(typedOf(['\x1c\x1cd']), { typed: '\x1cd', leaves: false });
});

test('a single key leaves at once', () => {
  assert.deepEqual(typedOf(['a\x11b'], '\x11'), { typed: 'a', leaves: true });
});

test('splitting the input into pieces makes no difference', () => {
  const keys = fc.array(fc.constantFrom('\x1c', 'd', 'x'), { maxLength: 12 });
  fc.assert(fc.property(keys, (typed) => assert.deepEqual(typedOf(typed), typedOf([typed.join('')]))));
});
