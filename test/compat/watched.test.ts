import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { foldFacts } from '../../src/model/fold.ts';
import { isFirstToSee, seenOffset } from '../../src/model/watches.ts';
import { readLog } from '../../src/tasklog/log.ts';
import { root } from '../support/repository.ts';

// The facts of durable watches as version 1 wrote them. They must load for ever; they are never edited.

const facts = [
  { fact: 'started', pid: 11_965, start: 438_307 },
  {
    fact: 'watch',
    id: 'errors',
    pattern: { regexp: 'error (\\d+) €', flags: 'i' },
    stream: 'stdout',
    from: 0,
    at: 1_763_830_969_200,
  },
  {
    fact: 'watch',
    id: 'ready',
    pattern: { text: 'ready [0]' },
    stream: 'stderr',
    from: 120,
    at: 1_763_830_969_201,
  },
  { fact: 'seen', watch: 'errors', id: 'c0ffee000001', offset: 812, at: 1_763_830_969_300 },
  { fact: 'seen', watch: 'errors', id: 'c0ffee000002', offset: 90, at: 1_763_830_969_301 },
  { fact: 'unwatch', watch: 'ready' },
];

test('a log with watches of version 1 loads, and means what it meant', () => {
  const log = readLog(join(root, 'test/compat/v1/watched.jsonl'));
  assert.deepEqual(log?.list, facts);
  const [errors, ready, ...more] = foldFacts(log.list).watches;
  assert.deepEqual(more, []);
  assert.ok(errors !== undefined && ready !== undefined);
  assert.deepEqual(
    [errors.closed, seenOffset(errors), ready.closed, seenOffset(ready)],
    [false, 812, true, -1],
  );
  assert.deepEqual(
    [isFirstToSee(errors, 80, 'c0ffee000002'), isFirstToSee(errors, 80, 'c0ffee000001')],
    [false, true],
  );
});
