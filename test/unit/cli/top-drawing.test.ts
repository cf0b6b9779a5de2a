import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SteadyTable } from '../../../src/cli/present/table.ts';
import { rowStarts, textWidth } from '../../../src/cli/present/width.ts';
import { LastRow } from '../../../src/cli/top/last-row.ts';
import { marked } from '../../../src/cli/top/marked.ts';
import { Painter } from '../../../src/cli/top/painter.ts';
import { wantedOf } from '../../../src/cli/top/search.ts';
import { shownField, shownLine } from '../../../src/cli/top/view.ts';

test('only changed rows are written, and all of them after a reset', () => {
  const written: string[] = [];
  const painter = new Painter((text) => written.push(text.replaceAll('\x1b[', '^')));
  const size = { columns: 10, rows: 3 };
  painter.paint(['a', 'b'], size, null);
  assert.match(written.join(''), /\^2J.*\^1;1H\^0m\^2Ka.*\^2;1H.*b.*\^3;1H/);
  painter.paint(['a', 'b'], size, null);
  assert.equal(written.length, 1);
  painter.paint(['a', 'c'], size, null);
  assert.equal(written[1], '^?2026h^2;1H^0m^2Kc^0m^?25l^?2026l');
  painter.paint(['a', 'c'], size, 4);
  assert.match(written[2] ?? '', /\^3;5H\^\?25h/);
  painter.forget();
  painter.paint(['a', 'c'], size, 4);
  assert.match(written[3] ?? '', /\^2J.*\^1;1H.*a.*\^2;1H.*c/);
});

test('a line wraps where a row is full, and no row is wider', () => {
  assert.deepEqual(rowStarts('', 5), [0]);
  assert.deepEqual(rowStarts('abcde', 5), [0]);
  assert.deepEqual(rowStarts('abcdef', 5), [0, 5]);
  // Wide characters take two cells, marks none; what is wider than the row has one of its own.
  assert.deepEqual(rowStarts('日本語', 5), [0, 2]);
  assert.deepEqual(rowStarts('日本', 1), [0, 1]);
  assert.deepEqual(rowStarts('e\u0301e\u0301e\u0301', 2), [0, 4]);
  const text = 'a日b本c👍d'.repeat(50);
  const starts = rowStarts(text, 7);
  for (const [row, at] of starts.entries()) assert.ok(textWidth(text.slice(at, starts[row + 1])) <= 7);
});

test('columns of a steady table do not get narrower when their rows go', () => {
  const table = new SteadyTable([{ heading: 'A' }, { heading: 'B' }, { heading: 'C', mayBeEmpty: true }]);
  assert.deepEqual(table.lines([['long one', 'x', '-']], 80), ['A         B', 'long one  x']);
  assert.deepEqual(table.lines([['s', 'y', 'z']], 80), ['A         B  C', 's         y  z']);
  assert.deepEqual(table.lines([], 80), ['A         B  C']);
});

test('no control sequence is left in a row', () => {
  assert.equal(shownField('a\x1b[2J\u202eb\n'), 'a\\e[2J\\u{202e}b\\n');
  assert.equal(shownField(`e${'\u0301'.repeat(1_000_000)}`).length, 5);
  assert.equal(shownField('x'.repeat(1_000_000)).length, 1_000);
  assert.equal(shownLine('a\tb\u202ec\x07'), 'a       bc');
});

test('a search hit is marked, also across the end of a row', async () => {
  const { matcher, text } = await wantedOf('foo');
  assert.equal(text, 'foo');
  assert.deepEqual(marked('a FOO b', [0, 4], matcher), ['a \x1b[7mFO\x1b[27m', '\x1b[7mO\x1b[27m b']);
  const { matcher: upper, text: none } = await wantedOf('F.o');
  assert.equal(none, null);
  assert.deepEqual(marked('FOO Foo', [0], upper), ['FOO \x1b[7mFoo\x1b[27m']);
  assert.deepEqual(marked('FOO', [0], null), ['FOO']);
  await assert.rejects(wantedOf('(?=x)'), { code: 'INVALID_ARGUMENT' });
});

test('the last row takes an answer or a typed line, and messages wait meanwhile', () => {
  const last = new LastRow();
  const typed: string[] = [];
  const press = (...keys: string[]): void => {
    for (const key of keys) last.press(key);
  };
  assert.deepEqual(last.draw('hint', 10), { text: 'hint', cursor: null });
  last.read('/', 'a', (text) => typed.push(text));
  press('b', 'left', ' ', 'c', 'backspace', 'ctrl-w', 'd');
  last.say('news');
  assert.deepEqual(last.draw('hint', 10), { text: '/d', cursor: 2 });
  last.pasted('e\nf');
  press('enter');
  assert.deepEqual(typed, ['de f']);
  let answers = 0;
  const ask = (): void => last.ask('Sure?', () => (answers += 1));
  ask();
  press('x');
  ask();
  press('enter');
  assert.equal(answers, 0);
  ask();
  assert.equal(last.draw('', 80).text, 'Sure? y/n');
  press('y');
  assert.deepEqual([answers, last.isAsking], [1, false]);
});
