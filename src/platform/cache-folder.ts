import { isAbsolute, join } from 'node:path';
import { isSystemError } from '../errors/error.ts';
import { homeFolderIfAny } from './home-folder.ts';
import { ownFolder } from './own-folder.ts';

/**
 * Where this user keeps compiled code of ours, which makes starting faster: a folder `outlive` in `$XDG_CACHE_HOME` or
 * ~/.cache, in ~/Library/Caches on macOS, or `outlive-cache` in %LOCALAPPDATA%. A user who can write there can make us
 * run code. So it must be a folder that {@link ownFolder} accepts, and never one in a temporary folder that users
 * share.
 * @returns null if there can be no such folder: then there is no cache.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env, user?: number): string | null {
  try {
    const path = cachePath(environment);
    return path !== null && isAbsolute(path) ? ownFolder(path, user) : null;
  } catch (error) {
    // It cannot be made, for whatever reason.
    if (!isSystemError(error)) throw error;
    return null;
  }
}

function cachePath(environment: NodeJS.ProcessEnv): string | null {
  const within = (home: string | null, ...names: string[]): string | null =>
    home === null ? null : join(home, ...names);
  const home = homeFolderIfAny();
  if (process.platform === 'darwin') return within(home, 'Library', 'Caches', 'outlive');
  if (process.platform === 'win32')
    return within(environment.LOCALAPPDATA || within(home, 'AppData', 'Local'), 'outlive-cache');
  const caches = environment.XDG_CACHE_HOME;
  // The XDG specification: a relative path is invalid and is to be ignored.
  return within(caches && isAbsolute(caches) ? caches : within(home, '.cache'), 'outlive');
}
