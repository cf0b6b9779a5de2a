import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('a process that dies at any call of pruning leaves whole tasks or none', async (t) => {
  const calls = await crashAtEveryCall('prune', async ({ told, tasks, store }) => {
    const ids = tasks.map(({ taskId }) => taskId);
    for (const id of told.pruned)
      assert.ok(!ids.includes(id), `${id} was answered to be removed and is there`);
    // The next one removes the rest.
    await store.prune({ olderThanMs: 0 });
  });
  t.diagnostic(`${calls} calls`);
});
