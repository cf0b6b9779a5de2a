import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlainLines } from '../../../src/cli/present/plain-lines.ts';
import { plainText } from '../../../src/model/plain-text.ts';
import { emulated, shownOf } from '../../support/fuzz/terminals.ts';

test('escapes are removed: colours, cursor movements, titles and links', () => {
  assert.equal(plainText('\x1b[1;31merror\x1b[0m: no\x1b[K'), 'error: no');
  assert.equal(plainText('\x1b]0;a title\x07text'), 'text');
  assert.equal(plainText('\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\'), 'link');
});

test('the last state of an overwritten line is kept', () => {
  assert.equal(plainText('10 %\r50 %\r100 %\ndone\n'), '100 %\ndone\n');
  assert.equal(plainText('\x1b[32m10 %\x1b[0m\r\x1b[32m99 %\x1b[0m'), '99 %');
});

test('lines that end in CR LF are not overwritten lines', () => {
  assert.equal(plainText('one\r\ntwo\r\r\nthree'), 'one\ntwo\nthree');
});

test('a progress bar that returns to the start of its line and stops there keeps its last state', () => {
  assert.equal(plainText('50 %\r'), '50 %');
});

test('tabs and text of any language do not change', () => {
  assert.equal(plainText('a\tb\n한국어 ünï 👩‍💻\n'), 'a\tb\n한국어 ünï 👩‍💻\n');
});

const drawn: Readonly<Record<string, readonly [written: string, shown: string]>> = {
  'a spinner that goes back over itself': ['Installing |\b/\b-\bdone\n', 'Installing done\n'],
  'a percentage that is written over': ['Copying   1%\b\b\b\b 57%\b\b\b\b100%\n', 'Copying 100%\n'],
  'backspaces beyond the beginning': ['ab\b\b\b\bxy\n', 'xy\n'],
  'a bold word of a manual page': ['n\bna\bam\bme\be\n', 'name\n'],
  'a shorter state that erases the rest': ['downloading 99 %\r\x1b[Kdone\n', 'done\n'],
  'a shorter state that erases nothing': ['downloading\rdone\n', 'doneloading\n'],
  'a line that is erased and not written again': ['kept\nworking ...\x1b[2K\r\nlast\n', 'kept\n\nlast\n'],
  'two bars, drawn three times': [
    'a 10 %\nb 20 %\n\x1b[2A\x1b[2Ka 50 %\n\x1b[2Kb 60 %\n\x1b[2F\x1b[Ka done\n\x1b[Kb done\nall done\n',
    'a done\nb done\nall done\n',
  ],
  'the second of three lines': [
    'one\ntwo\nthree\n\x1b[2A\x1b[4Gx\x1b[2B\rfour\n',
    'one\ntwox\nthree\nfour\n',
  ],
  'columns that are named': ['name\x1b[10Gvalue\x1b[3Gx\n', 'naxe     value\n'],
  'characters that are taken out and put in': ['abcdef\r\x1b[2P\x1b[C\x1b[1@X\n', 'cXdef\n'],
  'a screen that is cleared stays above the next': ['one\n\x1b[H\x1b[2Jtwo\n', 'one\ntwo\n'],
  'what a full-screen program shows goes with it': [
    'before\n\x1b[?1049h\x1b[Hedit\x1b[?1049lafter\n',
    'before\nafter\n',
  ],
  'a wide character that is written over by half': ['한국\b\b\bx\n', ' x국\n'],
  'tabs that are written over': ['a\tb\rxy\n', 'xy      b\n'],
};

for (const [what, [written, shown]] of Object.entries(drawn)) {
  test(`the last state of overdrawn text is kept: ${what}`, async () => {
    assert.equal(plainText(written), shown);
    assert.equal(shownOf(await emulated(written)), shownOf(shown), 'a terminal shows the same');
  });
}

test('a progress bar of megabytes without a line break shows its last state, and no state that never existed', () => {
  const states = Array.from(
    { length: 60_000 },
    (_none, at) => `\r[${'='.repeat(at % 20).padEnd(20)}] ${at + 1} of 60000`,
  );
  const bar = Buffer.from(`start\n${states.join('')}\nend\n`);
  assert.ok(bar.length > 2 * 1024 ** 2);
  const last = `start\n[${'='.repeat(59_999 % 20).padEnd(20)}] 60000 of 60000\nend\n`;
  for (const step of [65_536, 262_144, 1_000_003, bar.length]) {
    const lines = new PlainLines();
    let shown = '';
    for (let at = 0; at < bar.length; at += step) shown += lines.push(bar.subarray(at, at + step));
    assert.equal(shown + lines.end(), last, `in pieces of ${step} bytes`);
  }
});

test('a line of megabytes without overwriting comes whole', () => {
  const line = `${'a word and '.repeat(300_000)}end`;
  const lines = new PlainLines();
  assert.equal(`${lines.push(Buffer.from(`${line}\n`))}${lines.end()}`, `${line}\n`);
  assert.equal(plainText(`\x1b[m${line}`), line);
});

test('bytes that move the cursor do not become megabytes of text', () => {
  const pieces = [
    '\x1b[9999Cx\n',
    '\x1b[99Bx\x1b[2J',
    'xxxxxxxxx\x1bD',
    '\x1b[24S',
    '\x1b[9999;9999Hx',
    '\n\x1b[99L',
    '\t\b',
  ];
  for (const piece of pieces) {
    const text = piece.repeat((64 * 1024) / piece.length);
    const shown = plainText(`\x1b[m${text}`);
    assert.ok(shown.length < 6 * text.length + 8_192, `${JSON.stringify(piece)}: ${shown.length}`);
  }
});

test('of the control characters only tab and line break are kept', () => {
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
