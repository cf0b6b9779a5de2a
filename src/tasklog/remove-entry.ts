import { lstatSync, rmSync, unlinkSync } from 'node:fs';
import { systemCode } from '../util/system-error.ts';

/**
 * Removes a file of a task; nothing is said when it is gone. A task may have put a folder in its place: that goes with
 * all that is in it, and what links in there lead to stays.
 */
export function removeEntry(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return;
    // Linux says EISDIR of a folder, other systems say that it is not permitted.
    if (code !== 'EISDIR' && !lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
    rmSync(path, { recursive: true, force: true });
  }
}
