import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineOf, wordsOf } from '../../../src/util/quote.ts';

test('a line is split into the words that it was made of', () => {
  const word = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      assert.deepEqual(wordsOf(lineOf(words)), words);
    }),
  );
  const odd = ["'", "''", "\\'", '', ' ', "a'b c", '\n', '$(x)', 'if', 'A=1'];
  for (const first of odd) assert.deepEqual(wordsOf(lineOf([first, ...odd])), [first, ...odd]);
});

test('a line that was not made that way has no words', () => {
  for (const line of ['', "'open", 'a  b', ' a', 'a ', 'a\\b', '\\']) assert.equal(wordsOf(line), null, line);
});
