import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSizes } from '../../src/tasklog/sizes.ts';
import { root } from '../support/repository.ts';
import { folded } from './sample.ts';

// What is recorded of a terminal. The files must load for ever; they are never edited.

test('the facts about a terminal and its viewers keep their meaning', () => {
  const { spec, started, attached, exit } = folded('terminal.jsonl');
  assert.deepEqual([spec?.stdin, spec?.tty], ['open', { cols: 60, rows: 10 }]);
  assert.equal(started?.socket, '');
  assert.deepEqual(attached, []);
  assert.equal(exit?.dropped, 0);
});

test('a task whose input pipe was silent, and one whose socket is elsewhere, load', () => {
  assert.equal(folded('silent.jsonl').started?.stdin, 'silent');
  assert.equal(
    folded('socket-elsewhere.jsonl').started?.socket,
    '/tmp/outlive-1000-0123456789ab/bgb-5ad2e0f15ad2.sock',
  );
});

test('a file of sizes loads', () => {
  assert.deepEqual(parseSizes(readFileSync(join(root, 'test/compat/v2/terminal.sizes.sample'))), [
    { offset: 0, cols: 90, rows: 20 },
    { offset: 10, cols: 50, rows: 10 },
  ]);
});

test('a file of sizes of another version, a torn record and a record out of order are ignored', () => {
  const sample = readFileSync(join(root, 'test/compat/v2/terminal.sizes.sample'));
  const other = Buffer.from(sample);
  other[15] = 2;
  assert.deepEqual(parseSizes(other), []);
  assert.equal(parseSizes(sample.subarray(0, 40)).length, 1);
  const swapped = Buffer.concat([sample.subarray(0, 16), sample.subarray(32, 48), sample.subarray(16, 32)]);
  assert.deepEqual(parseSizes(swapped), [{ offset: 10, cols: 50, rows: 10 }]);
});
