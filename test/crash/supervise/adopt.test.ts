import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('a process that dies at any call of taking up what another has left misses no end and stops what it said', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('adopt', undefined, 5)} calls`);
});
