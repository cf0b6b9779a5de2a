import { test } from 'node:test';
import { prove } from '../support/prove.ts';
import { treesEnd } from '../support/torture/property.ts';

for (const hasCgroup of [false, true]) {
  test(`random trees end completely, ${hasCgroup ? 'with' : 'without'} a cgroup, whichever process ends them`, async (t) => {
    let trees = 0;
    const runs = await prove(
      treesEnd(hasCgroup, 4, () => {
        trees += 1;
      }),
      { share: 0.5, shrink: false, atOnce: 1 },
    );
    t.diagnostic(`${trees} trees in ${runs} runs`);
  });
}
