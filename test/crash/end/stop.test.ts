import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('a process that dies at any call of a stop leaves nothing running that was asked to end', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('stop')} calls`);
});
