import { test } from 'node:test';
import { crashAtEveryCall } from '../../support/crashes.ts';
import { checkMatches } from '../../support/matches.ts';

test('when a process dies at any call of a durable watch, no match is lost, and none is told twice', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('watch', checkMatches, 5)} calls`);
});
