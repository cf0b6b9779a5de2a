import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('a process that dies at any call of cutting output leaves its head, its tail and its offsets', async (t) => {
  const calls = await crashAtEveryCall('cut', async ({ session, tasks }) => {
    for (const { taskId, status, statusReason, output } of tasks) {
      // What is lost has not run: that was checked.
      if (statusReason === 'spawn_aborted' || status === 'lost') continue;
      assert.equal(output.bytes, 8_893);
      const task = session.task(taskId);
      assert.match((await task.read({ offset: 0, maxBytes: 100 })).text, /^1\n2\n3\n/);
      assert.match((await task.tail({ maxBytes: 100 })).text, /\n1999\n2000\n$/);
      assert.equal((await task.read({ offset: 8_883 })).text, '1999\n2000\n');
    }
  });
  t.diagnostic(`${calls} calls`);
});
