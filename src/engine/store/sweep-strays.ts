import { statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import { namesIn } from '../../tasklog/files.ts';
import { passing } from '../session/background.ts';

/** Names that live for a moment: a record before it takes its place, a pipe before it is opened. */
const temporary =
  /^(?:(?:(?:store|session)\.json|shim-[0-9a-f]{64})\.[0-9a-f]{12}\.tmp|doorbell-[0-9a-f]{16})$/;

/** Older ones were left by a crash. */
const strayAfterMs = 60_000;

/** Removes from a folder what crashed processes left in it. */
export function sweepStrays(dir: string): void {
  for (const path of straysIn(dir)) {
    try {
      unlinkSync(path);
    } catch (error) {
      // Removed by somebody else meanwhile, or the store is read-only.
      tolerate(error, passing, 'removing a stray file');
    }
  }
}

/** The paths of what crashed processes left in a folder. */
export function straysIn(dir: string): string[] {
  return namesIn(dir)
    .filter((name) => temporary.test(name))
    .map((name) => join(dir, name))
    .filter(isOld);
}

function isOld(path: string): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs > strayAfterMs;
  } catch (error) {
    // A disk error: it stays.
    tolerate(error, passing, 'checking a stray file');
    return false;
  }
}
