import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMarks } from '../../src/tasklog/marks.ts';
import { root } from '../support/repository.ts';
import { exitProof, factsOf, fateOf, folded, goneProof } from './sample.ts';

// What is recorded of output: through a pipe, erased, and when it grew. The files must load for ever; they are never edited.

test('the facts of a shim about piped and erased output keep their meaning', () => {
  const { spec, erased, exit, gone } = folded('output.jsonl');
  assert.deepEqual([spec?.output, spec?.separate], ['pipe', true]);
  assert.deepEqual(erased, [
    { fact: 'erased', stream: 'stderr', bytes: 12, at: 1_795_848_979_400 },
    { fact: 'erased', stream: 'stdout', bytes: 64, at: 1_795_848_980_159 },
  ]);
  assert.deepEqual(
    [exit?.pending, exit?.bytes, exit?.dropped, exit?.proof],
    [true, 70_012, 4_096, exitProof],
  );
  assert.deepEqual(gone, { fact: 'gone', proof: goneProof });
  assert.equal(fateOf('output.jsonl', 'yes'), 'completed null 0 null');
  assert.deepEqual(factsOf('output.jsonl')[2], {
    fact: 'erased',
    stream: 'stdout',
    bytes: 0,
    at: 1_795_848_979_300,
  });
});

test('a task of an earlier shim loads without facts about erased output', () => {
  const { spec, erased, exit } = folded('queued.jsonl');
  assert.deepEqual([spec?.output, erased, exit?.bytes, exit?.dropped], [undefined, [], undefined, undefined]);
});

test('a file of marks loads', () => {
  assert.deepEqual(parseMarks(readFileSync(join(root, 'test/compat/v2/output.marks.sample'))), [
    { offset: 512, at: 1_795_848_979_201 },
    { offset: 70_000, at: 1_795_848_981_733 },
    { offset: 2 ** 40, at: 1_795_848_990_000 },
  ]);
});
