import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import type { Io } from '../../src/cli/io.ts';
import { previewLines } from '../../src/cli/present/preview.ts';
import { tableText } from '../../src/cli/present/table.ts';
import { headline } from '../../src/cli/present/task.ts';
import { visible } from '../../src/cli/present/text.ts';
import { shownBytes, shownDuration, shownStatus, shownTime } from '../../src/cli/present/values.ts';
import type { TaskSnapshot } from '../../src/index.ts';

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

test('sizes are in powers of 1024, moments in the zone of the reader', () => {
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

test('a moment that is none is shown as the number that it is', () => {
  for (const at of [1e300, -1e300, 8.64e15 + 1]) assert.equal(shownTime(at), `${at} ms`);
});

test('a reason and a signal that a task has forged in its own record do no harm on a terminal', () => {
  const forged = {
    status: 'failed',
    statusReason: 'a\x1b[2Jb\n',
    killSignal: '\x1b]0;x\x07',
    exitCode: null,
  };
  const snapshot = {
    ...forged,
    taskId: 'bgb-00000000',
    name: null,
    command: 'x',
    durationMs: 1,
  } as TaskSnapshot;
  const io = { colours: createColors(false) } as Io;
  assert.equal(headline(snapshot, io), 'bgb-00000000 failed, a\\e[2Jb\\n, \\e]0;x\\u{7} after 1ms: x');
});

test('a cell that is cut within a character loses that character', () => {
  for (let length = 8; length < 24; length += 1) {
    const table = tableText(['ID', 'COMMAND'], [['x', `${'a'.repeat(length)}${'👍'.repeat(20)}`]], 20);
    assert.doesNotMatch(table, /\p{Surrogate}/u);
    assert.match(table, /…/);
  }
});

test('every status has a colour, and none without colours', () => {
  const [on, off] = [createColors(true), createColors(false)];
  assert.equal(shownStatus('failed', on), '\x1b[31mfailed\x1b[39m');
  assert.equal(shownStatus('completed', on), '\x1b[32mcompleted\x1b[39m');
  for (const status of ['queued', 'starting', 'running', 'killing', 'killed', 'timed_out', 'lost'] as const) {
    assert.ok(shownStatus(status, on).startsWith('\x1b['), status);
    assert.equal(shownStatus(status, off), status);
  }
});

test('what cannot be seen is made visible; text of any language stays', () => {
  assert.equal(visible('a\tb\nc\rd\x1b[0m\x07\x9b'), 'a\\tb\\nc\\rd\\e[0m\\u{7}\\u{9b}');
  assert.equal(
    visible('\u202e\u2066\u200b\ufeff\u2028\ue000\u{e0041}'),
    '\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{2028}\\u{e000}\\u{e0041}',
  );
  assert.equal(visible('\ud800'), '\\u{d800}');
  assert.equal(visible('한국어 ünï éè 漢字'), '한국어 ünï éè 漢字');
});

test('the last lines of output do no harm, and empty ones around them are left out', () => {
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
  const text = tableText(['TASK', 'STATUS', 'COMMAND'], rows, 40);
  const lines = stripVTControlCharacters(text).split('\n');
  assert.deepEqual(lines, [
    'TASK       STATUS   COMMAND',
    'bgb-1      running  a short one',
    'bgb-22222  failed   long xxxxxxxxxxxxxx…',
    '',
  ]);
  assert.equal(lines[2]?.length, 40);
  assert.ok(
    tableText(['A', 'B'], [['x'.repeat(30), 'y'.repeat(30)]], 20)
      .split('\n')[1]
      ?.startsWith('x'.repeat(30)),
  );
  const wide = tableText(['A', 'B'], [['x', 'y'.repeat(300)]], Number.POSITIVE_INFINITY);
  assert.ok(wide.includes('y'.repeat(300)));
});
