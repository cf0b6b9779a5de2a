import { statSync } from 'node:fs';
import { shown } from '../../errors/error.ts';
import { absolutePath, currentFolder } from '../../platform/current-folder.ts';
import { isShare, longestWindowsPath } from '../../platform/windows/paths.ts';
import { shellKind } from '../../platform/windows/shells.ts';
import { fail, isWhole } from '../session/validate.ts';

/**
 * The folder that a command runs in, as an absolute path.
 * @param shell the shell that runs the command; null: none.
 * @throws OutliveError `INVALID_CWD`.
 */
export function checkCwd(cwd: unknown, shell: string | null): string {
  return checkWindowsCwd(checkFolder(cwd), shell);
}

function checkFolder(cwd: unknown): string {
  if (cwd === undefined) return checkFolder(currentFolder());
  const isPath = typeof cwd === 'string' && cwd !== '' && !cwd.includes('\0') && isWhole(cwd);
  const path = isPath ? absolutePath(cwd) : null;
  let found = path === null ? shown(cwd, 4096) : 'nothing there';
  try {
    if (path !== null && statSync(path).isDirectory()) return path;
    if (path !== null) found = 'a file';
  } catch (error) {
    if (error instanceof Error && !error.message.startsWith('ENOENT')) found = error.message;
    else if (path?.includes('\uFFFD'))
      found +=
        ', and U+FFFD in a name often stands for bytes that are not UTF-8, which outlive cannot pass on';
  }
  return fail(
    'INVALID_CWD',
    `expected the working directory ${shown(cwd, 4096)} to be a directory; found ${found}. Create it or name another one.`,
  );
}

/** Windows starts nothing in a longer folder, and cmd would go to another one than that of a share. */
function checkWindowsCwd(path: string, shell: string | null): string {
  if (process.platform === 'win32' && path.length > longestWindowsPath)
    fail(
      'INVALID_CWD',
      `expected the path of the working directory to have at most ${longestWindowsPath} characters on Windows; found ${path.length}. Use a folder further up.`,
    );
  if (isShare(path) && shell !== null && shellKind(shell) === 'cmd')
    fail(
      'INVALID_CWD',
      `expected a working directory on a drive, because cmd takes no network share; found ${shown(path, 4096)}. Give the share a drive letter (net use), or name another shell.`,
    );
  return path;
}
