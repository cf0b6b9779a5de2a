import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesBelow } from '../support/below.ts';
import { crashAtEveryCall } from '../support/crashes.ts';
import { factsOf } from '../support/logs.ts';

test('a process that dies at any call of queueing loses no task, and starts none twice or after its stop', async (t) => {
  const calls = await crashAtEveryCall('queue', async ({ dir }) => {
    for (const log of filesBelow(dir).filter((path) => path.endsWith('.jsonl'))) {
      const kinds = factsOf(log).map(({ fact }) => fact);
      assert.ok(kinds.filter((kind) => kind === 'started').length <= 1, log);
      if (kinds.includes('waiting') && kinds.includes('started')) {
        assert.ok(kinds.indexOf('turn') < kinds.indexOf('started'), `${log}: nothing starts before its turn`);
      }
    }
  });
  t.diagnostic(`${calls} calls`);
});
