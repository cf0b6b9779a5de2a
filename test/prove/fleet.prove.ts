import { test } from 'node:test';
import { whateverHappens } from '../support/fleet/whatever-happens.ts';
import { prove } from '../support/prove.ts';

test('whatever happens in a fleet, nothing starts twice, and no task that may have started is reported as not started', async (t) => {
  t.diagnostic(`${await prove(whateverHappens, { atOnce: 100 })} histories`);
});
