import { OutliveError, shown } from '../../errors/error.ts';
import { longestWindowsPath } from '../../platform/windows/paths.ts';

/** A session's folder below it, and in that the longest name of a file, take 92 more. */
const longestOnWindows = longestWindowsPath - 92;

/**
 * Checks the path of a store: cmd runs no file with a long path, and takes a percent sign in one for the beginning of a
 * variable.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkForCmd(dir: string): void {
  const expected =
    dir.length > longestOnWindows
      ? `to have at most ${longestOnWindows} characters on Windows; found ${dir.length}. Choose a folder further up`
      : `to have no percent sign on Windows; found ${shown(dir, 4096)}. Choose another folder`;
  if (dir.length > longestOnWindows || dir.includes('%'))
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected the path of the store ${expected}: cmd runs no file elsewhere. It is dir, or OUTLIVE_HOME.`,
    );
}
