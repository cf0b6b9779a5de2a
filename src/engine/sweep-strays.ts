import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Names that live for a moment: a record before it takes its place, a pipe before it is opened. */
const passing = /^(?:(?:store|session)\.json\.[0-9a-f]{12}\.tmp|lifeline-[0-9a-f]{16})$/;

/** Older ones were left by a crash. */
const strayAfterMs = 60_000;

/** Removes from a folder what crashed processes left in it. */
export function sweepStrays(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (!passing.test(name)) continue;
    const path = join(dir, name);
    try {
      if (Date.now() - statSync(path).mtimeMs > strayAfterMs) unlinkSync(path);
    } catch {
      // Removed by somebody else meanwhile, or the store is read-only.
    }
  }
}
