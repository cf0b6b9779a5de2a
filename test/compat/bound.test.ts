import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFact } from '../../src/tasklog/codec.ts';
import { by, fateOf, folded } from './sample.ts';

// Frozen as the other samples are: files that were written must load for ever.

test('a task that was bound to a process loads with the identity of that process, and why it was stopped', () => {
  const { spec, stop } = folded('bound-to-process.jsonl');
  assert.deepEqual([spec?.bindTo, spec?.retentionMs], [by, 604_800_000]);
  assert.deepEqual([stop?.cause, stop?.by], ['bound', null]);
  for (const alive of ['yes', 'no'] as const)
    assert.equal(fateOf('bound-to-process.jsonl', alive), 'killed bound 143 SIGTERM');
});

test('a task that was bound to its session loads with that binding', () => {
  const { spec } = folded('bound-to-session.jsonl');
  assert.deepEqual([spec?.bindTo, spec?.retentionMs], ['session', null]);
  assert.equal(fateOf('bound-to-session.jsonl', 'yes'), 'starting');
});

test('a binding of an unknown form is ignored: the task outlives its spawner', () => {
  const line = '{"fact":"spec","v":2,"command":"x","by":{"pid":2},"bindTo":';
  for (const bindTo of ['"window"', '7', '[]', '{}', 'null']) {
    const fact = parseFact(`${line}${bindTo}}`);
    assert.ok(fact?.fact === 'spec' && fact.bindTo === null, bindTo);
  }
});
