import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('when a process dies at any call, the limits of its tasks hold', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('limits', undefined, 5)} calls`);
});
