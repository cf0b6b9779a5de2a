import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('a process that dies at any call of settling and acknowledging loses and doubles no completion', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('ack')} calls`);
});
