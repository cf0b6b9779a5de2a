import { test } from 'node:test';
import { whateverHappens } from '../../support/fleet/whatever-happens.ts';
import { tryOften } from '../../support/prove.ts';

test('whatever happens, nothing starts twice, and nothing is said not to have started that may have', async () => {
  await tryOften(whateverHappens, 300);
});
