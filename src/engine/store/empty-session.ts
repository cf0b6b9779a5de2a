import { rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/error.ts';
import { tolerate } from '../../errors/expected.ts';
import { doneDays, logPathOf } from '../../tasklog/done.ts';
import { sweepKeys } from '../../tasklog/keys.ts';
import type { SessionPaths } from '../../tasklog/paths.ts';
import { passing } from '../session/background.ts';
import { allMarks } from '../session/process-marks.ts';
import { sweepStrays } from './sweep-strays.ts';

/**
 * Removes the folder of a session that has no tasks. Somebody may open or use the session at any moment, also after
 * this process was stopped between two steps for long:
 *
 * - The folders of the logs go first; the system removes them only when they are empty. A process that creates a log,
 *   or puts one away, afterwards finds no folder, and creates it again.
 * - From then on each step removes at most something empty, or the session's record. The shim makes the folder of the
 *   outputs again when it is missing, and while the record is missing the tasks say whose they are.
 *
 * @returns whether it is gone.
 */
export function removeIfEmpty(paths: SessionPaths): boolean {
  // On Windows a watched folder cannot be created again until no process watches it.
  if (process.platform === 'win32') return false;
  try {
    for (const day of doneDays(paths)) removing(() => rmdirSync(join(paths.done, day)));
    removing(() => rmdirSync(paths.done));
    removing(() => rmdirSync(paths.tasks));
    removing(() => rmdirSync(paths.output));
    sweepKeys(paths, (taskId) => logPathOf(paths, taskId) === null);
    removing(() => unlinkSync(paths.queue));
    removing(() => unlinkSync(paths.record));
    for (const mark of allMarks(paths.dir, 'open')) removing(() => unlinkSync(mark));
    sweepStrays(paths.dir);
    rmdirSync(paths.dir);
    return true;
  } catch (error) {
    // It has a task, or a file that is not ours, or the store is read-only.
    tolerate(error, passing, 'removing an empty session');
    return false;
  }
}

/** What is gone already is as it should be: another process does the same, or has died while it did. */
function removing(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
