import { realpathSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { isSystemError } from '../../errors/error.ts';
import { lineOf } from '../../util/quote.ts';
import type { CommonOptions } from '../open.ts';

/** How an agent starts this program. */
export interface Launch {
  /** The words in front of the verb. */
  readonly program: readonly string[];
  /** The words behind it: the store and the session, if they were named. */
  readonly options: readonly string[];
}

/**
 * The program by its name, where that is found in PATH and is this one; else by paths. What others share (a project, a plugin) has
 * the name: their paths are their own. Windows starts no program without its ending, so there it is paths.
 */
export function launchOf(isShared: boolean, { store, session }: CommonOptions): Launch {
  const options = [
    ...(store === undefined ? [] : ['--store', resolve(store)]),
    ...(session === undefined ? [] : ['--session', session]),
  ];
  const script = process.argv[1] ?? 'outlive';
  const isByName = isShared || (process.platform !== 'win32' && isInPath(script));
  return { program: isByName ? ['outlive'] : [process.execPath, realpathSync(script)], options };
}

/** The command of the MCP server. */
export function serverOf({ program, options }: Launch): { command: string; args: string[] } {
  const [command = '', ...words] = program;
  return { command, args: [...words, 'mcp', ...options] };
}

/** The line that a hook has run: agents hand it to a POSIX shell, on Windows to that of Git. */
export function hookLineOf({ program, options }: Launch): string {
  return lineOf([...program.map((word) => word.replaceAll('\\', '/')), 'completions', '--hook', ...options]);
}

/** Whether a shell that has this PATH takes the name for this program. What npm and npx put in front is gone after them. */
function isInPath(script: string): boolean {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !isOfNpm(folder));
  const own = targetOf(script);
  const found = folders.map((folder) => targetOf(join(folder, 'outlive'))).find((target) => target !== null);
  return found !== undefined && found === own;
}

function isOfNpm(folder: string): boolean {
  return basename(folder) === '.bin' || folder.includes('node-gyp-bin') || /[\\/]_npx[\\/]/.test(folder);
}

function targetOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}
