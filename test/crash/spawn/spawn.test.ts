import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';

test('a process that dies at any call of a spawn leaves no task unrecorded, lost or misjudged', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('spawn')} calls`);
});
