import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join, sep } from 'node:path';
import { OutliveError, shown } from '../errors/error.ts';
import { homeFolder } from './home-folder.ts';

/**
 * Where the store is when nobody says: `$OUTLIVE_HOME`, else the platform's folder for state that programs
 * keep (`$XDG_STATE_HOME` or ~/.local/state; ~/Library/Application Support on macOS; %LOCALAPPDATA% on Windows). Never a temporary
 * folder: systems clean those while tasks run. Never in the home of another user, which sudo may leave in `$HOME`: what
 * root makes there, that user cannot use.
 * @throws OutliveError `INVALID_ARGUMENT` when `OUTLIVE_HOME` is no absolute path, or there is no home folder.
 */
export function defaultStoreFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment.OUTLIVE_HOME;
  if (home) return namedFolder(home);
  if (process.platform === 'darwin') return join(homeOfUser(), 'Library', 'Application Support', 'outlive');
  if (process.platform === 'win32') {
    return join(environment.LOCALAPPDATA || join(homeFolder(), 'AppData', 'Local'), 'outlive');
  }
  const state = environment.XDG_STATE_HOME;
  // The XDG specification: a relative path is invalid and is to be ignored.
  return join(state && isAbsolute(state) ? state : join(homeOfUser(), '.local', 'state'), 'outlive');
}

/** No shell has read what stands in an agent's configuration, so `~` and variables are still there. */
function namedFolder(home: string): string {
  const isOfHome = home === '~' || home.startsWith('~/') || home.startsWith(`~${sep}`);
  const path = isOfHome ? join(homeOfUser(), home.slice(1)) : home;
  const variable = process.platform === 'win32' ? /\$|%[^%]+%/ : /\$/;
  if (isAbsolute(path) && !variable.test(path)) return path;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected OUTLIVE_HOME to be an absolute path, or one that begins with ~/, without variables; found ${shown(home)}. Write the path in full.`,
  );
}

function homeOfUser(): string {
  const home = homeFolder();
  if (process.geteuid?.() !== 0) return home;
  const owner = statSync(home, { throwIfNoEntry: false })?.uid ?? 0;
  return owner === 0 ? home : userInfo().homedir;
}
