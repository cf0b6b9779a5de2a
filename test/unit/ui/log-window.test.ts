import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogWindow } from '../../../src/ui/page/log-window.ts';
import type { LinesData, LogLine } from '../../../src/ui/protocol.ts';

/** Lines of a text that begins at an offset; the last one is open, unless it ends with a line break. */
function data(text: string, from: number, size = 1e9): LinesData {
  const lines: LogLine[] = [];
  let offset = from;
  const parts = text.split('\n');
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (isLast && part === '') break;
    lines.push({ offset, text: part, ...(isLast && { open: true as const }) });
    offset += part.length + 1;
  }
  return { lines, from, to: from + text.length, size, beginsAt: 0 };
}

const shown = ({ blocks }: LogWindow): string => blocks.map(({ text }) => text).join('\n');

test('a line that came in two pieces is one line', () => {
  const part = LogWindow.of(data('one\ntw', 0)).append(data('o\nthree', 6));
  assert.equal(shown(part), 'one\ntwo\nthree');
  assert.equal(part.to, 13);
});

test('lines on both sides of skipped output are not joined', () => {
  const part = LogWindow.of(data('one\ntw', 0)).append(data('o\n', 100));
  assert.equal(part.blocks.length, 2);
  assert.equal(shown(part), 'one\ntw\no');
});

test('only a limited part is kept, at the end that grows', () => {
  const text = `${'x'.repeat(99)}\n`.repeat(600);
  let part = LogWindow.of(data(text, 0));
  for (let index = 1; index < 100; index += 1) part = part.append(data(text, index * text.length));
  assert.ok(part.blocks.length <= 16);
  assert.equal(part.to, 100 * text.length);
  const end = part.from;
  part = part.prepend(data(text, end - text.length));
  assert.equal(part.from, end - text.length);
  assert.ok(part.blocks.length <= 16);
});

test('a place in the text is found by its offset', () => {
  const part = LogWindow.of(data('one\ntwo\nthree\n', 10));
  const place = part.placeOf(15);
  assert.deepEqual([place?.index, place?.line], [4, 'two']);
  assert.equal(part.placeOf(9), null);
  assert.equal(part.placeOf(24), null);
});
