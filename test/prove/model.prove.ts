import { test } from 'node:test';
import { modelHolds } from '../support/model/property.ts';
import { prove } from '../support/prove.ts';

test('several processes that do anything to one store, and die at any time, agree with a simple model', async (t) => {
  let steps = 0;
  const runs = await prove(
    modelHolds(400, (done) => {
      steps += done;
    }),
    { shrink: false, atOnce: 1 },
  );
  t.diagnostic(`${steps} steps in ${runs} runs`);
});
