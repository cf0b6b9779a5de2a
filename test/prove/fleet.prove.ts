import { test } from 'node:test';
import { whateverHappens } from '../support/fleet/whatever-happens.ts';
import { prove } from '../support/prove.ts';

test('whatever happens in a fleet, nothing starts twice, and nothing is said not to have started that may have', async (t) => {
  t.diagnostic(`${await prove(whateverHappens, { atOnce: 100 })} histories`);
});
