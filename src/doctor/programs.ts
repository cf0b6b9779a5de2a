import { readFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';
import { findBash, findShell } from '../platform/shells.ts';
import { shimFinder } from '../shim/program.ts';
import { crypto } from '../util/crypto.ts';
import { type Finding, fine, problem, warning } from './finding.ts';
import { checkWindowsShells } from './windows.ts';

/** Whether the shells that outlive uses, and the one that the user does, are there. */
export function checkShells(environment: NodeJS.ProcessEnv = process.env): Finding[] {
  if (process.platform === 'win32') return checkWindowsShells(environment);
  const own = environment.SHELL;
  return [
    defaultShell(environment.PATH),
    ...(own
      ? [shell(own, 'your $SHELL', 'Set SHELL to a shell that exists; outlive itself does not use it.')]
      : []),
  ];
}

/** Which shim runs the tasks of a store. On Windows there is none. */
export function checkShim(dir: string): Finding[] {
  if (process.platform === 'win32') return [];
  try {
    const { path, from, sha256 } = shimFinder(dir).choose();
    const kind = {
      environment: ', which OUTLIVE_SHIM names',
      package: '',
      store: ', a copy, because the file of the package cannot be executed',
    }[from];
    const hash = sha256 ?? crypto().createHash('sha256').update(readFileSync(path)).digest('hex');
    return [fine('shim', `tasks are run by ${path}${kind} (sha256 ${hash.slice(0, 12)})`)];
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return [problem('shim', error.message, 'Until then no task can be started.')];
  }
}

/** The shell that runs commands when none is named. */
function defaultShell(path: string | undefined): Finding {
  try {
    const found = findShell(undefined, path);
    if (findBash(path) !== null) return fine('shell', `commands run in ${found}`);
    const message = 'bash is not installed: commands run in sh, and a pipe hides exit statuses';
    return warning('shell', message, 'Install bash.');
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return problem(
      'shell',
      'neither bash nor sh is installed',
      'Install bash, or name a shell at each run: --shell.',
    );
  }
}

function shell(name: string, whose: string, advice: string): Finding {
  try {
    return fine('shell', `${findShell(name, undefined)} exists, ${whose}`);
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return problem('shell', `${name}, ${whose}, does not exist or cannot be executed`, advice);
  }
}
