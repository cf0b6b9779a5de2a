import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFirstToSee, seenOffset } from '../../src/model/watches.ts';
import { folded } from './sample.ts';

// The facts of durable watches, in the log of a whole life. They must mean the same for ever.

test('watches mean what they meant: what was seen, by whom first, and which are over', () => {
  const [errors, ready, ...more] = folded('task.jsonl').watches;
  assert.deepEqual(more, []);
  assert.ok(errors !== undefined && ready !== undefined);
  assert.deepEqual([errors.fact.id, errors.closed, seenOffset(errors)], ['errors', true, 812]);
  assert.deepEqual([ready.fact.id, ready.closed, seenOffset(ready)], ['ready', false, -1]);
  assert.deepEqual(
    [isFirstToSee(errors, 80, 'c0ffee000002'), isFirstToSee(errors, 80, 'c0ffee000001')],
    [false, true],
  );
});
