import { lstatSync, readdirSync, statSync } from 'node:fs';
import { win32 } from 'node:path';
import { OutliveError } from '../errors/error.ts';
import { findWindowsShell } from '../platform/windows/shells.ts';
import { counted, type Finding, fine, problem, some, warning } from './finding.ts';

const { basename, isAbsolute, join, relative } = win32;

/**
 * Whether the store's folder is a directory where Windows lets nobody else in by itself: in the profile of the user.
 * There are no modes to look at. Null when it is not there.
 */
export function checkWindowsFolder(dir: string, environment = process.env): Finding | null {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isDirectory())
    return problem('store', `${dir} is not a directory`, 'Remove it, or name another store.');
  const { USERPROFILE, LOCALAPPDATA } = environment;
  const isOwn = [USERPROFILE, LOCALAPPDATA].some((folder) => folder && isBelow(folder, dir));
  if (isOwn) return fine('store', `${dir} is in your profile, which is closed to others`);
  return warning(
    'store',
    `${dir} is outside of your profile, and as open to others as its parent folder`,
    'Remove the access of others (icacls), or use a store in your profile.',
  );
}

/** Whether the store has no links: another user may use a link to bring in files from elsewhere. */
export function checkWindowsLinks(dir: string): Finding {
  const links = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink());
  if (links.length === 0) return fine('modes', 'no file in the store is a link');
  const finding = `${counted(links.length, 'file in the store is a link', 'files in the store are links')}: ${some(links)}`;
  return problem('modes', finding, 'Check them, and remove what is not yours; outlive follows no links.');
}

/** Whether cmd, which runs the shims, exists, and what runs commands: $SHELL is taken where it is set. */
export function checkWindowsShells(environment: NodeJS.ProcessEnv): Finding[] {
  const own = environment.SHELL;
  const other = found(undefined, environment);
  return [
    found('cmd', environment) === null
      ? problem('shell', 'cmd, which runs the shims, does not exist', 'Set ComSpec to the path of cmd.exe.')
      : fine('shell', 'cmd, which runs the shims, exists'),
    ...(own && !isShell(own, environment)
      ? [
          problem(
            'shell',
            `${own}, your $SHELL, does not exist`,
            'Set SHELL to a shell that exists, or unset it.',
          ),
        ]
      : []),
    ...(other === null ? [] : [fine('shell', `commands run in ${other}`)]),
  ];
}

/** A path of MSYS, as git-bash has it in $SHELL, is not a Windows path: outlive searches for its name. */
function isShell(own: string, environment: NodeJS.ProcessEnv): boolean {
  return found(own.startsWith('/') ? basename(own) : own, environment) !== null;
}

function found(name: string | undefined, environment: NodeJS.ProcessEnv): string | null {
  try {
    return findWindowsShell(name, environment);
  } catch (error) {
    if (error instanceof OutliveError) return null;
    throw error;
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}
