import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import type { Io } from '../../../src/cli/io.ts';
import { previewLines } from '../../../src/cli/present/preview.ts';
import { columnsOf } from '../../../src/cli/present/ps-rows.ts';
import { type Column, tableText, tableTexts } from '../../../src/cli/present/table.ts';
import { headline } from '../../../src/cli/present/task.ts';
import {
  shownBytes,
  shownDay,
  shownDuration,
  shownStatus,
  shownTime,
} from '../../../src/cli/present/values.ts';
import { textWidth } from '../../../src/cli/present/width.ts';
import type { TaskSnapshot } from '../../../src/index.ts';
import { visible } from '../../../src/util/visible.ts';

test('durations have two units at most', () => {
  const cases: [number | null, string][] = [
    [null, ''],
    [0, '0ms'],
    [850, '850ms'],
    [3_240, '3.2s'],
    [59_900, '59s'],
    [250_000, '4m 10s'],
    [7_500_000, '2h 5m'],
    [200_000_000, '2d 7h'],
  ];
  for (const [ms, text] of cases) assert.equal(shownDuration(ms), text, String(ms));
});

test('sizes are in powers of 1024, times in the zone of the reader', () => {
  assert.deepEqual([0, 1, 1023, 1024, 1536, 5.4e9].map(shownBytes), [
    '0B',
    '1B',
    '1023B',
    '1KB',
    '1.5KB',
    '5GB',
  ]);
  assert.equal(shownTime(null), '');
  assert.equal(shownTime(new Date(2026, 0, 2, 3, 4, 5, 6).getTime()), '2026-01-02 03:04:05.006');
});

test('a day is shown as ls does: with a time in the last half year, else with its year', () => {
  const now = new Date(2026, 10, 29, 12).getTime();
  const shown = (...at: [number, number, number, number, number]): string =>
    shownDay(new Date(...at).getTime(), now);
  assert.equal(shown(2026, 10, 9, 8, 5), 'Nov 09 08:05');
  assert.equal(shown(2026, 6, 1, 23, 59), 'Jul 01 23:59');
  assert.equal(shown(2025, 10, 29, 12, 0), 'Nov 29  2025');
  assert.equal(shown(2027, 10, 29, 12, 0), 'Nov 29  2027');
  assert.equal(shownDay(1e300, now), '1e+300 ms');
});

test('an invalid time is shown as its number', () => {
  for (const at of [1e300, -1e300, 8.64e15 + 1]) assert.equal(shownTime(at), `${at} ms`);
});

test('a forged reason and signal in a record do no harm on a terminal', () => {
  const forged = {
    status: 'failed',
    statusReason: 'a\x1b[2Jb\n',
    exitSignal: '\x1b]0;x\x07',
    exitCode: null,
  };
  const snapshot = {
    ...forged,
    taskId: 'bgb-000000000000',
    name: null,
    command: 'x',
    durationMs: 1,
  } as TaskSnapshot;
  const io = { colours: createColors(false) } as Io;
  assert.equal(headline(snapshot, io), 'bgb-000000000000 failed, a\\e[2Jb\\n, \\e]0;x\\u{7} after 1ms: x');
});

/** Columns that may be cut as far as there is room. */
const named = (...headings: string[]): Column[] => headings.map((heading) => ({ heading, least: 1 }));

test('a cell that is cut within a character loses that character', () => {
  for (let length = 8; length < 24; length += 1) {
    const table = tableText(named('ID', 'COMMAND'), [['x', `${'a'.repeat(length)}${'👍'.repeat(20)}`]], 20);
    assert.doesNotMatch(table, /\p{Surrogate}/u);
    assert.match(table, /…/);
  }
});

test('every status has a colour, unless colours are off', () => {
  const [on, off] = [createColors(true), createColors(false)];
  assert.equal(shownStatus('failed', on), '\x1b[31mfailed\x1b[39m');
  assert.equal(shownStatus('completed', on), '\x1b[32mcompleted\x1b[39m');
  for (const status of ['queued', 'starting', 'running', 'killing', 'killed', 'timed_out', 'lost'] as const) {
    assert.ok(shownStatus(status, on).startsWith('\x1b['), status);
    assert.equal(shownStatus(status, off), status);
  }
});

test('invisible characters are made visible; text of any language stays', () => {
  assert.equal(visible('a\tb\nc\rd\x1b[0m\x07\x9b'), 'a\\tb\\nc\\rd\\e[0m\\u{7}\\u{9b}');
  assert.equal(
    visible('\u202e\u2066\u200b\ufeff\u2028\ue000\u{e0041}'),
    '\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{2028}\\u{e000}\\u{e0041}',
  );
  assert.equal(visible('\ud800'), '\\u{d800}');
  assert.equal(visible('한국어 ünï éè 漢字'), '한국어 ünï éè 漢字');
});

test('the last lines of output do no harm, and empty lines around them are left out', () => {
  assert.deepEqual(previewLines(''), []);
  assert.deepEqual(previewLines('\n \n\n'), []);
  assert.deepEqual(previewLines('\n  a\n\n1%\r2%\n\tb\u202e\n\n'), ['  a', '', '2%', '    b']);
  assert.deepEqual(previewLines('\x1b]0;title\x07\x1b[31mred\x1b[0m'), ['red']);
});

test('a table is as wide as the terminal: the last column is cut, the others are as wide as they need', () => {
  const rows = [
    ['bgb-1', 'running', 'a short one'],
    ['bgb-22222', '\x1b[31mfailed\x1b[39m', `long ${'x'.repeat(100)}`],
  ];
  const text = tableText(named('TASK', 'STATUS', 'COMMAND'), rows, 40);
  const lines = stripVTControlCharacters(text).split('\n');
  assert.deepEqual(lines, [
    'TASK       STATUS   COMMAND',
    'bgb-1      running  a short one',
    'bgb-22222  failed   long xxxxxxxxxxxxxx…',
    '',
  ]);
  assert.equal(lines[2]?.length, 40);
  const wide = tableText(named('A', 'B'), [['x', 'y'.repeat(300)]], Number.POSITIVE_INFINITY);
  assert.ok(wide.includes('y'.repeat(300)));
});

test('columns without room are left out, the lowest rank first; empty columns are not shown', () => {
  const columns: Column[] = [
    { heading: 'ID' },
    { heading: 'SIZE', rank: 1 },
    { heading: 'PORT', rank: 2, mayBeEmpty: true },
    { heading: 'FOLDER', rank: 3, least: 6, keepsEnd: true },
  ];
  const rows = [['a', '1KB', '80', '/one/two/three']];
  const headings = [40, 24, 18, 10, 2].map((cells) => tableText(columns, rows, cells).split('\n'));
  assert.deepEqual(headings, [
    ['ID  SIZE  PORT  FOLDER', 'a   1KB   80    /one/two/three', ''],
    ['ID  SIZE  PORT  FOLDER', 'a   1KB   80    …o/three', ''],
    ['ID  PORT  FOLDER', 'a   80    …o/three', ''],
    ['ID  FOLDER', 'a   …three', ''],
    ['ID', 'a', ''],
  ]);
  const empty = tableText(columns, [['a', '1KB', '-', '-']], 40);
  assert.equal(empty, 'ID  SIZE  FOLDER\na   1KB   -\n');
});

test('no row is wider than the terminal, whatever it contains: wide characters, emoji, marks, colours', () => {
  const columns = columnsOf({ allSessions: true, dates: true });
  const texts = ['x', '漢字'.repeat(30), 'e\u0301'.repeat(50), '👍'.repeat(20), '❤\ufe0f'.repeat(40)];
  for (const cells of [20, 33, 60, 80, 120, 200])
    for (const text of [...texts, `\x1b[31m${texts.join('')}\x1b[39m`]) {
      const rows = [columns.map(() => text), columns.map(() => 'short')];
      for (const line of tableText(columns, rows, cells).split('\n')) {
        assert.ok(textWidth(line) <= cells, `${cells}: ${line}`);
        // A colour that began ends.
        assert.equal(line.split('\x1b[31m').length, line.split('\x1b[39m').length);
      }
    }
});

test('a long table comes in pieces, but is one table', () => {
  const rows = Array.from({ length: 1_203 }, (_, at) => [
    `bgb-${at}`,
    at === 1_200 ? 'the longest of all' : 'x',
  ]);
  const pieces = [...tableTexts(named('TASK', 'STATUS'), rows, 80)];
  assert.ok(pieces.length > 2);
  const lines = pieces.join('').split('\n');
  assert.equal(lines.length, 1 + rows.length + 1);
  assert.deepEqual(
    [lines[0], lines[1], lines[500], lines[1_201]],
    ['TASK      STATUS', 'bgb-0     x', 'bgb-499   x', 'bgb-1200  the longest of all'],
  );
});
