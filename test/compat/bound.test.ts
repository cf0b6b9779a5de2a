import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { decide } from '../../src/model/decide.ts';
import { foldFacts } from '../../src/model/fold.ts';
import { parseFact } from '../../src/tasklog/codec.ts';
import { readLog } from '../../src/tasklog/log.ts';
import { root } from '../support/repository.ts';

// Frozen as the other samples are: files that were written must load for ever.

const load = (name: string) => foldFacts(readLog(join(root, 'test/compat/v1', name))?.list ?? []);

test('a task that was bound to a process loads with the identity of that process, and why it was stopped', () => {
  const facts = load('task-bound.jsonl');
  assert.deepEqual(facts.spec?.bindTo, {
    pid: 11_953,
    start: 438_295,
    boot: 'dfe8e6e8-4a9e-4a9f-a37a-69dee54719fb',
    pidNamespace: 'pid:[4026531836]',
    host: 'build-1',
  });
  assert.equal(facts.spec.retentionMs, 604_800_000);
  const decision = decide(facts, 'no');
  assert.ok(decision.state === 'settle');
  assert.deepEqual([decision.verdict.status, decision.verdict.reason], ['killed', 'bound']);
});

test('a task that was bound to its session loads as such', () => {
  const { spec } = load('task-bound-to-session.jsonl');
  assert.deepEqual([spec?.bindTo, spec?.retentionMs], ['session', null]);
});

test('a bond of a form that we do not know is none: the task outlives its spawner, as all others', () => {
  const line = '{"fact":"spec","v":1,"command":"x","by":{"pid":2},"bindTo":';
  for (const bindTo of ['"window"', '7', '[]', '{}', 'null']) {
    const fact = parseFact(`${line}${bindTo}}`);
    assert.ok(fact?.fact === 'spec' && fact.bindTo === null, bindTo);
  }
});
