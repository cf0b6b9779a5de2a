import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';
import { checkMatches } from '../../support/matches.ts';

test('a process that dies at any call of a durable watch loses no match and is told none twice', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('watch', checkMatches, 5)} calls`);
});
