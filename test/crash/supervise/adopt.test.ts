import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('when a process dies at any call of adopting tasks, no end is missed, and what it said it stopped is stopped', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('adopt', undefined, 5)} calls`);
});
