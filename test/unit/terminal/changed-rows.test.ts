import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changedRows, screenChange } from '../../../src/terminal/changed-rows.ts';
import type { Screen } from '../../../src/terminal/screen.ts';

function screen(lines: readonly string[], more: Partial<Screen> = {}): Screen {
  const { length: rows } = lines;
  return {
    cols: 20,
    rows,
    lines,
    cursor: { x: 2, y: 0, visible: true },
    alternate: false,
    title: '',
    ended: false,
    ...more,
  };
}

test('changed rows are reported by number', () => {
  const change = screenChange(screen(['a', 'b', 'c']), screen(['a', 'x', 'c']));
  assert.deepEqual(change, { scrolled: 0, rows: [{ row: 1, text: 'x' }] });
});

test('a row that became empty is reported', () => {
  assert.deepEqual(screenChange(screen(['a', 'b']), screen(['a', '']))?.rows, [{ row: 1, text: '' }]);
});

test('a scrolled screen is reported as scrolled, with the new rows', () => {
  const change = screenChange(screen(['1', '2', '3', '4']), screen(['3', '4', '5', '$']));
  assert.deepEqual(change, {
    scrolled: 2,
    rows: [
      { row: 2, text: '5' },
      { row: 3, text: '$' },
    ],
  });
});

test('a screen with another size, or of another program, is not compared with the previous one', () => {
  const before = screen(['a', 'b']);
  assert.equal(screenChange(before, screen(['a', 'b'], { cols: 21 })), null);
  assert.equal(screenChange(before, screen(['a', 'b', 'c'])), null);
  assert.equal(screenChange(before, screen(['a', 'b'], { alternate: true })), null);
});

test('the previous screen and the changes together give the screen', () => {
  const lines = fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(lines, lines, (first, second) => {
      const change = screenChange(screen(first), screen(second));
      assert.ok(change);
      const known: string[] = second.map((_, row) => first[row + change.scrolled] ?? '');
      for (const { row, text } of change.rows) known[row] = text;
      assert.deepEqual(known, second);
    }),
  );
});

test('as text it is the changes, if they are shorter than the whole screen', () => {
  const lines = Array.from({ length: 10 }, (_, at) => `line ${at} of a program`);
  assert.equal(changedRows(screen(lines), screen(lines.with(4, 'other'))), ' 5 other');
  assert.equal(changedRows(screen(lines), screen(lines)), '');
  const rolled = screen([...lines.slice(2), 'x', 'y']);
  assert.equal(changedRows(screen(lines), rolled), '(scrolled up by 2)\n 9 x\n10 y');
  assert.equal(changedRows(screen(['a', 'b']), screen(['x', 'y'])), null);
  assert.equal(changedRows(screen(['a', 'b']), screen(['a', 'b'], { alternate: true })), null);
});
