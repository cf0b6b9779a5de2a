import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { retainedFile } from '../tasklog/paths.ts';

/** How often a store is gone through. */
const everyMs = 600_000;

/** Whether nobody has gone through a store lately; then it is this process that does. Of two at once both may. */
export function isRetentionDue(dir: string): boolean {
  const path = retainedFile(dir);
  try {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age >= 0 && age < everyMs) return false;
    writeFileSync(path, '', { mode: 0o600 });
    const now = new Date();
    utimesSync(path, now, now);
    return true;
  } catch {
    // A store that is read-only, or full: nothing can be removed or shortened there.
    return false;
  }
}
