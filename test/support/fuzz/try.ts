import { test } from 'node:test';
import { prove, tryOften } from '../prove.ts';
import type { Properties } from './properties.ts';

/** A test for each property: so many values in the short form, a share of the time in the long one. */
export function testProperties(
  properties: Properties,
  { numRuns, share }: { numRuns?: number; share?: number },
): void {
  for (const [says, property] of Object.entries(properties)) {
    test(says, async (t) => {
      if (numRuns !== undefined) await tryOften(property, numRuns);
      else
        t.diagnostic(
          `${await prove(property, { atOnce: 100, ...(share !== undefined && { share }) })} values`,
        );
    });
  }
}
