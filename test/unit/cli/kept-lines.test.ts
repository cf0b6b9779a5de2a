import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLines } from '../../../src/cli/present/kept-lines.ts';

test('lines come in the order of their places, and for equal places in the order of the calls', () => {
  const lines = new KeptLines();
  for (const [at, line] of [
    [3, 'c'],
    [1, 'a'],
    [3, 'd'],
    [2, 'b'],
    [1, 'a2'],
  ] as const)
    lines.add(at, `${line}\n`);
  assert.equal(lines.count, 5);
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual([...lines.inOrder()], ['a\n', 'a2\n', 'b\n', 'c\n', 'd\n']);
    assert.equal(Buffer.concat([...lines.pieces()]).toString(), 'a\na2\nb\nc\nd\n');
  }
});

test('no line is cut or mixed with another one, however long or wide', () => {
  const lines = new KeptLines();
  const added = Array.from({ length: 400 }, (_, at) => `${at} ${'€👍x'.repeat((at * 37) % 3_000)}\n`);
  added.push(`${'y'.repeat(3_000_000)}\n`, '\n', `${'ß'.repeat(1_100_000)}\n`, 'last\n');
  for (const [at, line] of added.entries()) lines.add(at, line);
  assert.deepEqual([...lines.inOrder()], added);
  const pieces = [...lines.pieces()];
  assert.ok(pieces.length > 10 && pieces.length < added.length);
  assert.ok(Buffer.concat(pieces).equals(Buffer.from(added.join(''))));
});

test('without lines there is nothing to write', () => {
  const lines = new KeptLines();
  assert.deepEqual([lines.count, [...lines.inOrder()]], [0, []]);
  assert.equal(Buffer.concat([...lines.pieces()]).length, 0);
});
