import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeCheckpoint } from '../../src/terminal/checkpoint.ts';
import { LiveScreen } from '../../src/terminal/live-screen.ts';
import { root } from '../support/repository.ts';

// A screen as version 2 keeps it, the first that loads for ever. It is never edited.

test('a kept screen loads, with all the state that later output depends on', async () => {
  const checkpoint = decodeCheckpoint(readFileSync(join(root, 'test/compat/v2/screen.checkpoint.sample')));
  assert.ok(checkpoint);
  assert.equal(checkpoint.owner, 'bgb-32c62d5d.fead4f513194286c');
  assert.equal(checkpoint.moment.offset, 179);
  using live = await LiveScreen.open({ from: checkpoint.moment });
  const { lines, cells, cursor, alternate, title } = live.screen({ cells: true });
  assert.deepEqual(lines, ['insidewavy', '', `${' '.repeat(39)}X`, '', 'below─', '']);
  assert.deepEqual(cells?.[0], [
    { text: 'inside', width: 6, fg: 200, bg: '#010203', bold: true },
    { text: 'wavy', width: 4, underline: true },
  ]);
  assert.deepEqual([cursor, alternate, title], [{ x: 39, y: 2, visible: false }, true, '한 title']);
  const { modes } = checkpoint.moment.state;
  assert.deepEqual([modes.bracketedPaste, modes.mouse, modes.mouseEncoding], [true, 'DRAG', 'SGR']);
  // The next character goes to the next row, in the lines that are drawn; then the screen before comes back, with its cursor.
  live.feed(Buffer.from('q'));
  assert.equal(live.screen().lines[3], '─');
  live.feed(Buffer.from('\x1b[?1049l\x1b(Bhere'));
  assert.deepEqual(live.screen().lines.slice(0, 2), ['befhere', 'red e\u0301 🚀']);
});
