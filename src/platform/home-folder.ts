import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import { isSystemError, OutliveError } from '../errors/error.ts';

/**
 * The home folder of this user: `$HOME`, or that of the list of users where `$HOME` is empty or relative, as services and
 * containers leave it. A relative one would be another folder wherever a shell stands.
 * @returns null when neither is an absolute path.
 */
export function homeFolderIfAny(): string | null {
  return [homedir, () => userInfo().homedir].map(absolute).find((home) => home !== null) ?? null;
}

/**
 * The home folder of this user.
 * @throws OutliveError `INVALID_ARGUMENT` when there is none.
 */
export function homeFolder(): string {
  const home = homeFolderIfAny();
  if (home !== null) return home;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    'expected a home folder; found no absolute path in HOME, and none in the list of users. Set HOME, or name the store in OUTLIVE_HOME.',
  );
}

function absolute(read: () => string): string | null {
  try {
    const home = read();
    return isAbsolute(home) ? home : null;
  } catch (error) {
    // A user who is not in the list of users, as in a container that was given a number.
    if (!isSystemError(error)) throw error;
    return null;
  }
}
