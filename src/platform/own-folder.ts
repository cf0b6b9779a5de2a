import { lstatSync, mkdirSync, readlinkSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** A path with more links counts as a loop, as in the kernel of Linux. */
const mostLinks = 40;

/**
 * A folder that only this user and root can read, change or replace: for files that are executed. It is made (0700) when
 * it is not there, with the folder above it if need be. What is there is checked and never changed.
 *
 * Each folder and each link on the way must belong to this user or to root. If others may write to a folder on the way,
 * it must be sticky: then they can add entries to it, but cannot replace ours. The folder right above must not even be
 * that: a temporary folder that users share is no place. The folder itself must not be a link.
 * @param path absolute.
 * @param user the number of this user; undefined on Windows, where folders of the user's profile are closed to others.
 * @returns the path without links; null when the folder is not safe.
 * @throws a system error when the folder cannot be made or seen.
 */
export function ownFolder(path: string, user: number | undefined = process.geteuid?.()): string | null {
  const above = dirname(path);
  const base = walk(dirname(above), user);
  if (base === null) return null;
  makeFolder(join(base, basename(above)));
  const parent = walk(above, user);
  if (parent === null || (user !== undefined && isOpenToOthers(lstatSync(parent), 0o022))) return null;
  const folder = join(parent, basename(path));
  makeFolder(folder);
  const stat = lstatSync(folder);
  const isOurs = user === undefined || (stat.uid === user && !isOpenToOthers(stat, 0o077));
  return stat.isDirectory() && isOurs ? folder : null;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // It was there already, or another process has just made it: the caller checks what is there.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw error;
  }
}

/** Follows a path name by name; null when somebody else could have put something else there. */
function walk(path: string, user: number | undefined): string | null {
  if (user === undefined) return path;
  let at = '/';
  let links = 0;
  const names = path.split('/');
  if (!isSafe(lstatSync(at), user)) return null;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = join(at, name);
    const stat = lstatSync(next);
    if (!isSafe(stat, user)) return null;
    if (!stat.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > mostLinks) return null;
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = '/';
    names.unshift(...target.split('/'));
  }
  return at;
}

function isSafe(stat: Stats, user: number): boolean {
  if (stat.uid !== user && stat.uid !== 0) return false;
  return stat.isSymbolicLink() || !isOpenToOthers(stat, 0o022) || (stat.mode & 0o1000) !== 0;
}

function isOpenToOthers({ mode }: Stats, how: 0o022 | 0o077): boolean {
  return (mode & how) !== 0;
}
