import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainText } from '../../src/model/plain-text.ts';

test('escapes are gone: colours, cursor movements, titles and links', () => {
  assert.equal(plainText('\x1b[1;31merror\x1b[0m: no\x1b[K'), 'error: no');
  assert.equal(plainText('\x1b]0;a title\x07text'), 'text');
  assert.equal(plainText('\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\'), 'link');
});

test('of a line that was written over the last state remains', () => {
  assert.equal(plainText('10 %\r50 %\r100 %\ndone\n'), '100 %\ndone\n');
  assert.equal(plainText('\x1b[32m10 %\x1b[0m\r\x1b[32m99 %\x1b[0m'), '99 %');
});

test('lines that end in CR LF are lines, not overwritten ones', () => {
  assert.equal(plainText('one\r\ntwo\r\r\nthree'), 'one\ntwo\nthree');
});

test('a bar that has returned to the start of its line and says nothing more keeps its last state', () => {
  assert.equal(plainText('50 %\r'), '50 %');
});

test('tabs and text of any language stay as they are', () => {
  assert.equal(plainText('a\tb\n한국어 ünï 👩‍💻\n'), 'a\tb\n한국어 ünï 👩‍💻\n');
});

test('no control character comes through but tab and line break', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\x1b', '\x1b[', '\x9b', '\x07', '\b', '\x7f', '\r', '\n', '\t'),
  );
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be gone
      assert.doesNotMatch(plainText(parts.join('')), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    }),
    { numRuns: 1_000 },
  );
});

test('text without control characters is not touched', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(plainText(text), text);
    }),
  );
});
