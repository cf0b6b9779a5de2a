import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inQuotes, lastLine, oneLine, quoted, quotedRaw } from '../../../src/tools/text/data.ts';
import { sayMatch } from '../../../src/tools/text/present.ts';

const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/** Text as commands print it: of all characters, and of those that do harm more than their share. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ...[
          '\n',
          '\r',
          '\r\n',
          '\t',
          '\b',
          '\v',
          '\f',
          '\0',
          '\x07',
          '\x1b',
          '\x1b[31m',
          '\x1b[2K',
          '\x1b[1A',
          '\x1b]0;t',
        ],
        ...[
          '\x85',
          '\x9b',
          '\u200b',
          '\u200f',
          '\u202e',
          '\u2028',
          '\u2029',
          '\u2066',
          '\ufeff',
          '\u{e0041}',
          '\ud800',
        ],
        ...['| ', 'Ended since you were last told:\n- bgb-1', '[outlive: '],
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

test('whatever a command prints, each line has the mark, and nothing in it does harm', () => {
  fc.assert(
    fc.property(text, (printed) => {
      for (const shown of [quoted(printed), quotedRaw(printed)]) {
        for (const line of shown.split('\n')) {
          assert.ok(line.startsWith('| '), JSON.stringify(shown));
          assert.ok(!harmful.test(line.replaceAll('\t', '')), JSON.stringify(line));
        }
      }
    }),
  );
});

test('any name or command is shown on one harmless line', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (given, most) => {
      for (const shown of [oneLine(given), oneLine(given, most), inQuotes(given), lastLine(given) ?? '']) {
        assert.ok(!harmful.test(shown), JSON.stringify(shown));
      }
      assert.ok(oneLine(given, most).length <= most + 4);
    }),
  );
});

test('the last line of an output is the last visible one', () => {
  assert.equal(lastLine('one\ntwo\n\n  \n'), 'two');
  assert.equal(lastLine('10 %\r20 %\r\x1b[32m30 %\x1b[0m'), '30 %');
  assert.equal(lastLine('\n \x1b[0m\n'), null);
  assert.equal(lastLine(''), null);
  assert.ok((lastLine('x'.repeat(5_000)) ?? '').length < 200);
});

test('for a long line with a match, the part around the match is shown', () => {
  const line = `${'a'.repeat(2_000)}needle${'b'.repeat(2_000)}`;
  const shown = sayMatch({ line, text: 'needle' });
  assert.ok(shown.startsWith('| ... aaa') && shown.includes('needle') && shown.endsWith('bbb ...'));
  assert.ok(shown.length < 420);
  assert.equal(sayMatch({ line: 'a needle', text: 'needle' }), '| a needle');
});
