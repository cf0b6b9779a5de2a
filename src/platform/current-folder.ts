import { isUtf8 } from 'node:buffer';
import { realpathSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { OutliveError, systemCode } from '../errors/error.ts';

/**
 * The folder that this process works in.
 * @throws OutliveError `INVALID_CWD` when it was removed, or its path has bytes that are no UTF-8.
 */
export function currentFolder(): string {
  const found = look();
  if ('path' in found) return found.path;
  throw new OutliveError(
    'INVALID_CWD',
    `expected the current folder to be there, with a path of UTF-8 text; found that ${found.fault}. Name a folder by its absolute path, or go to another one.`,
  );
}

/** The same; null where there is none. */
export function currentFolderOrNull(): string | null {
  const found = look();
  return 'path' in found ? found.path : null;
}

/**
 * The absolute form of a path.
 * @throws OutliveError `INVALID_CWD` when that depends on the current folder, and there is none.
 */
export function absolutePath(path: string): string {
  return isAbsolute(path) ? resolve(path) : resolve(currentFolder(), path);
}

function look(): { readonly path: string } | { readonly fault: string } {
  try {
    const path = process.cwd();
    if (!path.includes('\uFFFD') || isUtf8(realpathSync.native('.', 'buffer'))) return { path };
    return { fault: `its path has other bytes: ${JSON.stringify(path)} shows U+FFFD in their place` };
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return { fault: code === 'ENOENT' ? 'it was removed' : `the system does not tell it (${code})` };
  }
}
