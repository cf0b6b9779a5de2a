import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HarmlessStream } from '../../../src/cli/present/harmless.ts';
import { PlainLines } from '../../../src/cli/present/plain-lines.ts';
import { harmlessText, plainText } from '../../../src/model/plain-text.ts';

test('text for a terminal keeps colours, tabs and line ends, and loses other control sequences', () => {
  const colours = '\x1b[1;31mred\x1b[0m\x1b[38:5:1mtoo\x1b[m\ttab\r\n';
  assert.equal(harmlessText(colours), colours);
  const cases = {
    'a\x1b]0;title\x07b': 'ab',
    'a\x1b]52;c;Y2xpcA==\x1b\\b': 'ab',
    'a\x1b[2J\x1b[10;20H\x1b[?1049h\x1b[6nb': 'ab',
    'a\x1bPq#0\x1b\\b': 'ab',
    'a\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\': 'alink',
    'a\x9b31mb\x9d0;t\x9cc': 'abc',
    'ring\x07 back\x0e\x7f': 'ring back',
    'Installing |\b/\b-\bdone': 'Installing |\b/\b-\bdone',
    'working\r\x1b[Kdone\x1b[2K\x1b[3K': 'working\r\x1b[Kdone\x1b[2K',
    '\x1b]0;never ends\nnext': '\nnext',
    '\x1b]0;\x1b[31min a title\x07x': '\x1b[31min a titlex',
  };
  for (const [text, expected] of Object.entries(cases))
    assert.equal(harmlessText(text), expected, JSON.stringify(text));
});

const pieces = fc.array(
  fc.oneof(
    fc.string(),
    fc.constantFrom(
      '\x1b',
      '[',
      ']',
      '0;',
      '31m',
      '\x1b[32m',
      '\x07',
      '\\',
      '\x9b',
      '€',
      '\n',
      '\r',
      '\x1b]0;t\x07',
      '\x1b[2J',
      '\b',
      'K',
    ),
  ),
);

/** A text in chunks that split characters and escapes anywhere. */
function inChunks(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

test('only colours and movements within the line are kept of the escapes, however the output is cut', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 9 }), (parts, size) => {
      const stream = new HarmlessStream();
      const shown =
        inChunks(parts.join(''), size)
          .map((bytes) => stream.push(bytes))
          .join('') + stream.end();
      // biome-ignore-start lint/suspicious/noControlCharactersInRegex: they are what must be gone
      const rest = shown.replaceAll(/\x1b\[(?:[\d;:]*m|[0-2]?K)/g, '');
      assert.doesNotMatch(rest, /[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
      // biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above
    }),
    { numRuns: 1_000 },
  );
});

test('a sequence that is split over two chunks is treated like a whole one', () => {
  const whole = 'one\x1b]0;title\x07 \x1b[32mgreen\x1b[0m \x1b]8;;x\x1b\\link\x1b[2Jend€';
  for (const size of [1, 2, 3, 5, 7]) {
    const stream = new HarmlessStream();
    const shown =
      inChunks(whole, size)
        .map((bytes) => stream.push(bytes))
        .join('') + stream.end();
    assert.equal(shown, 'one \x1b[32mgreen\x1b[0m linkend€', `chunks of ${size}`);
  }
});

test('a colour that is still on is reset at the end', () => {
  const shown = (text: string): string => {
    const stream = new HarmlessStream();
    return stream.push(Buffer.from(text)) + stream.end();
  };
  for (const left of ['\x1b[31mred', '\x1b[0m\x1b[1;7mx\n', '\x1b[31mred\x1b[K'])
    assert.equal(shown(left), `${left}\x1b[0m`);
  for (const ended of ['plain', '\x1b[31mred\x1b[0m\n', '\x1b[31mred\x1b[m', 'a\x1b[K'])
    assert.equal(shown(ended), ended);
});

test('an escape that never ends does not hold back the output forever', () => {
  const stream = new HarmlessStream();
  assert.equal(stream.push(Buffer.from('a\x1b]0;')), 'a');
  stream.push(Buffer.from('x'.repeat(5_000)));
  assert.equal(stream.push(Buffer.from('\nshown')), '\nshown');
});

test('the plain lines of chunks are the plain text of the whole', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 9 }), (parts, size) => {
      const text = parts.join('');
      const lines = new PlainLines();
      const shown =
        inChunks(text, size)
          .map((bytes) => lines.push(bytes))
          .join('') + lines.end();
      assert.equal(shown, plainText(Buffer.from(text).toString()));
    }),
    { numRuns: 1_000 },
  );
});

test('a waiting reader is shown complete lines, and again only those that change', () => {
  const lines = new PlainLines();
  const shown = (text: string): string => lines.push(Buffer.from(text)) + lines.show();
  assert.equal(shown('one\ntw'), 'one\n');
  assert.equal(shown('o\nthree\n'), 'two\nthree\n');
  assert.equal(shown('\x1b[2Atwo again\n'), 'two again\n');
  assert.equal(shown('\x1b[Bfour\r'), '');
  assert.equal(shown('\n'.repeat(40)), `four\n${'\n'.repeat(39)}`);
  assert.equal(lines.end(), '');
});
