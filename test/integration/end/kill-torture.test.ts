import { test } from 'node:test';
import { tryOften } from '../../support/prove.ts';
import { treesEnd } from '../../support/torture/property.ts';

// The long form is test/prove/kill-torture.prove.ts.
for (const hasCgroup of [false, true]) {
  test(`a few random trees end completely, ${hasCgroup ? 'with' : 'without'} a cgroup`, async () => {
    await tryOften(
      treesEnd(hasCgroup, 2, () => undefined),
      2,
      { shrink: false },
    );
  });
}
