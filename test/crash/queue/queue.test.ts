import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesBelow } from '../../support/below.ts';
import { crashAtEveryCall } from '../../support/crashes.ts';
import { appendFacts, factOf, factsOf } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { endOf, untilAsleep } from '../../support/queues.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

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

test(
  'a queued task that a process stopped before it died loses its shim when another process finds it',
  notOnWindows('a stop ends a waiting wrapper at once, without asking it'),
  async () => {
    await using world = new World();
    const session = await world.session('test', { maxRunning: 1 });
    await session.spawn('sleep 1000');
    const waiting = await session.spawn('true', { onLimit: 'queue' });
    await untilAsleep(world, waiting);
    const log = world.logOf(waiting.id);
    const { pid } = factOf(log, 'waiting');
    // So it cannot see by itself, from time to time, that it is not wanted any more.
    process.kill(pid, 'SIGSTOP');
    const by = { ...factOf(log, 'spec').by, pid: 999_999, start: 1 };
    const more = { at: Date.now(), graceMs: 50, killSignal: 'SIGTERM' };
    appendFacts(log, { fact: 'stop', cause: 'kill', id: 'x', by, ...more });
    assert.equal((await endOf(waiting)).status, 'killed');
    await waitFor(() => !isLive(pid), 'the shim to end');
  },
);
