import { test } from 'node:test';
import { whateverHappens } from '../../support/fleet/whatever-happens.ts';
import { tryOften } from '../../support/prove.ts';

test('whatever happens, nothing starts twice, and no task that may have started is reported as not started', async () => {
  await tryOften(whateverHappens, 300);
});
