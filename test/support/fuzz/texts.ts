import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { HarmlessStream } from '../../../src/cli/present/harmless.ts';
import { PlainLines } from '../../../src/cli/present/plain-lines.ts';
import { previewLines } from '../../../src/cli/present/preview.ts';
import { tableText } from '../../../src/cli/present/table.ts';
import { plainLine, rawIndexOf } from '../../../src/model/plain-line.ts';
import { harmlessText, plainText } from '../../../src/model/plain-text.ts';
import { visible } from '../../../src/util/visible.ts';
import type { Properties } from './properties.ts';

/** Pieces of what attacks a terminal, among them halves of escapes that others may complete. */
const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.string({ maxLength: 5 }),
  fc.constantFrom(
    '\x1b',
    '\x1b[',
    '\x1b]',
    '\x1b\\',
    '\x1bP',
    '\x1bc',
    '\x9b',
    '\x9d',
    '\x9c',
    '\x90',
    '\x07',
    '\x08',
    '\x7f',
  ),
  fc.constantFrom(
    '\r',
    '\n',
    '\t',
    '\v',
    '\f',
    '\0',
    '\x85',
    '\x0e',
    ';',
    '0;',
    '2J',
    'm',
    '31',
    'H',
    '6n',
    '?25l',
    ':',
    ' q',
    '!p',
  ),
  fc.constantFrom(
    '\x1b[31m',
    '\x1b[0m',
    '\x1b[1;4:3m',
    '\x1b]0;title\x07',
    '\x1b]8;;http://x\x1b\\',
    '\x1b[2J',
    '\x1b[?1049h',
    '\u202e',
    '\u2066',
    '\ud800',
    '\u200b',
  ),
);

/** Text that may attack a terminal. */
export const hostileText = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));

/** Bytes that may, cut into chunks anywhere. */
const chunks = fc
  .tuple(
    fc.oneof(
      hostileText.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 40 }).map(Buffer.from),
    ),
    fc.array(fc.nat({ max: 60 }), { maxLength: 5 }),
  )
  .map(([bytes, cuts]) => {
    const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });

/** Whatever acts on a terminal, but for colours, tabs, ends of lines, and what goes back within a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must be gone
const acting = /[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they may stay
const colour = /\x1b\[(?:[\d;:]*m|[0-2]?K)/g;

function assertHarmless(text: string, what: string): void {
  assert.doesNotMatch(text.replace(colour, ''), acting, what);
  // What a terminal makes of the rest must not be an escape either, once the colours are taken away.
  assert.equal(stripVTControlCharacters(text.replace(colour, '')), text.replace(colour, ''), what);
}

/** Properties of everything that stands between output, names and a terminal. */
export const textProperties: Properties = {
  'text for a terminal holds nothing that acts on more than its line': fc.property(hostileText, (text) => {
    assertHarmless(harmlessText(text), 'harmlessText');
    assert.equal(harmlessText(harmlessText(text)), harmlessText(text), 'it changes nothing any more');
  }),
  'a stream to a terminal is harmless however it is cut, and shows what the whole would': fc.property(
    chunks,
    (parts) => {
      const stream = new HarmlessStream();
      const shown = parts.map((part) => stream.push(part)).join('') + stream.end();
      assertHarmless(shown, JSON.stringify(shown));
    },
  ),
  'plain text has no control characters, and is plain already': fc.property(hostileText, (text) => {
    const plain = plainText(text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must be gone
    assert.doesNotMatch(plain, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    assert.equal(plainText(plain), plain);
  }),
  'plain lines of chunks are plain, and those of the whole': fc.property(chunks, (parts) => {
    const lines = new PlainLines();
    const shown = parts.map((part) => lines.push(part)).join('') + lines.end();
    assert.equal(shown, plainText(Buffer.concat(parts).toString('utf8')));
  }),
  'a plain line has no control characters but tabs, and each of its characters has its place': fc.property(
    hostileText,
    (text) => {
      const raw = text.replace(/[\r\n]/g, '');
      const plain = plainLine(raw);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they must be gone
      assert.doesNotMatch(plain, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
      for (let at = 0; at < plain.length; at += 1) assert.equal(raw[rawIndexOf(raw, at)], plain[at], `${at}`);
    },
  ),
  'names, commands and previews are one line each, with nothing in it that does not show': fc.property(
    hostileText,
    (text) => {
      const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;
      assert.doesNotMatch(visible(text), hidden);
      for (const line of previewLines(text)) assert.doesNotMatch(line, hidden);
      const columns = [
        { heading: 'ID', least: 9 },
        { heading: 'COMMAND', least: 9 },
      ];
      const table = tableText(columns, [[visible(text), visible(text)]], 80);
      assert.doesNotMatch(table.replace(colour, '').replaceAll('\n', ''), acting);
      assert.equal(table.split('\n').length, 3, 'a heading, a row, an end');
    },
  ),
};
