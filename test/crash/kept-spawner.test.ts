import { test } from 'node:test';
import { crashAtEveryCall } from '../support/crashes.ts';

test('a process with a keeper that dies at any call leaves its tasks to the keeper and the next one, whole', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('keep', async () => undefined, 5)} calls`);
});
