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
    return problem('store', `${dir} is no directory`, 'Remove it, or name another store.');
  const { USERPROFILE, LOCALAPPDATA } = environment;
  const isOwn = [USERPROFILE, LOCALAPPDATA].some((folder) => folder && isBelow(folder, dir));
  if (isOwn) return fine('store', `${dir} is in your profile, which is closed to others`);
  return warning(
    'store',
    `${dir} is outside of your profile, and as open to others as the folder it is in`,
    'Take its rights away from others (icacls), or use a store in your profile.',
  );
}

/** Whether nothing in the store is a link, through which somebody else may have put what is elsewhere. */
export function checkWindowsLinks(dir: string): Finding {
  const links = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink());
  if (links.length === 0) return fine('modes', 'no file in the store is a link');
  const finding = `${counted(links.length, 'file in the store is a link', 'files in the store are links')}: ${some(links)}`;
  return problem('modes', finding, 'Look at them, and remove what is not yours; outlive follows no links.');
}

/** Whether cmd is there, which runs the shims, and what runs commands: $SHELL is taken where it is set. */
export function checkWindowsShells(environment: NodeJS.ProcessEnv): Finding[] {
  const own = environment.SHELL;
  const other = found(undefined, environment);
  return [
    found('cmd', environment) === null
      ? problem('shell', 'cmd, which runs the shims, is not there', 'Set ComSpec to the path of cmd.exe.')
      : fine('shell', 'cmd is there, which runs the shims'),
    ...(own && !isShell(own, environment)
      ? [
          problem(
            'shell',
            `${own}, your $SHELL, is not there`,
            'Set SHELL to a shell that is there, or take it away.',
          ),
        ]
      : []),
    ...(other === null ? [] : [fine('shell', `commands run in ${other}`)]),
  ];
}

/** A path of MSYS, as git-bash has it in $SHELL, is none of Windows: its name is looked for. */
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
