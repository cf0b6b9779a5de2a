import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('the limits of its tasks hold after a process that dies at any call', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('limits', undefined, 5)} calls`);
});
