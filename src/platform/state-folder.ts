import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where the store is when nobody says: `$OUTLIVE_HOME`, else the platform's folder for state that programs
 * keep (`$XDG_STATE_HOME` or ~/.local/state; ~/Library/Application Support on macOS; %LOCALAPPDATA% on Windows). Never a temporary
 * folder: systems clean those while tasks run.
 */
export function defaultStoreFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const home = environment.OUTLIVE_HOME;
  if (home) return home;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'outlive');
  if (process.platform === 'win32') {
    return join(environment.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'outlive');
  }
  const state = environment.XDG_STATE_HOME;
  // The XDG specification: a relative path is invalid and is to be ignored.
  return join(state && isAbsolute(state) ? state : join(homedir(), '.local', 'state'), 'outlive');
}
