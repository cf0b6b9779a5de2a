import { test } from 'node:test';
import { modelHolds } from '../../support/model/property.ts';
import { tryOften } from '../../support/prove.ts';

// The long form is test/prove/model.prove.ts.
test('a few dozen steps of several processes on one store agree with a simple model', async () => {
  await tryOften(
    modelHolds(40, () => undefined),
    1,
    { shrink: false },
  );
});
