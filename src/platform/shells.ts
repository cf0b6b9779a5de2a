import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { OutliveError } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import { findWindowsShell } from './windows/shells.ts';

const unseen = expected('absent', 'refused', 'scarce', 'failing', 'busy');

/** Where shells are when PATH does not say. */
const usualFolders = ['/bin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

let defaultShell: string | undefined;
let bash: string | null | undefined;

/**
 * The absolute path of a shell. Without a name: bash where there is one, else sh; on Windows see {@link findWindowsShell}.
 * @throws OutliveError `SHELL_NOT_FOUND` when it is not there or cannot be executed.
 */
export function findShell(name: string | undefined, path: string | undefined): string {
  if (process.platform === 'win32') return findWindowsShell(name);
  if (name === undefined) {
    defaultShell ??= findBash(path) ?? search('sh', path);
    if (defaultShell !== undefined) return defaultShell;
  } else if (isAbsolute(name)) {
    if (isExecutable(name)) return name;
  } else if (!name.includes('/')) {
    const found = search(name, path);
    if (found !== undefined) return found;
  }
  throw new OutliveError(
    'SHELL_NOT_FOUND',
    `expected a shell that can be executed: the name of one in PATH or an absolute path; found ${JSON.stringify(name ?? 'neither bash nor sh')}. Install it, or name another one in the option "shell".`,
  );
}

/** The absolute path of bash; null where there is none. */
export function findBash(path: string | undefined): string | null {
  bash ??= search('bash', path) ?? null;
  return bash;
}

/** The absolute path of a program; null where there is none. */
export function findProgram(name: string, path: string | undefined): string | null {
  return search(name, path) ?? null;
}

function search(name: string, path: string | undefined): string | undefined {
  const folders = [...(path ?? '').split(delimiter).filter(isAbsolute), ...usualFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  // No file has such a name, and Node takes it for a mistake of the program.
  if (path.includes('\0')) return false;
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    tolerate(error, unseen, 'finding a program');
    return false;
  }
}
