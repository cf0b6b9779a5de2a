import { realpathSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSystemError } from '../../errors/error.ts';
import { lineOf } from '../../util/quote.ts';
import type { CommonOptions } from '../open.ts';

/** How an agent starts this program. */
export interface Launch {
  /** The words in front of the verb. */
  readonly program: readonly string[];
  /** The store and the session, if they were named. */
  readonly named: { readonly store?: string; readonly session?: string };
}

/**
 * The program by its name, where that is found in PATH and is this one; else by paths. What others share (a project, a plugin) has
 * the name: their paths are their own. Windows starts no program without its ending, so there it is paths.
 */
export function launchOf(isShared: boolean, { store, session }: CommonOptions): Launch {
  const named = {
    ...(store === undefined ? {} : { store: resolve(store) }),
    ...(session === undefined ? {} : { session }),
  };
  const script = process.argv[1] ?? 'outlive';
  const isByName = isShared || (process.platform !== 'win32' && isInPath(script));
  return { program: isByName ? ['outlive'] : [process.execPath, realpathSync(script)], named };
}

/** The command of the MCP server. */
export function serverOf(launch: Launch): { command: string; args: string[] } {
  const [command = '', ...words] = launch.program;
  return { command, args: [...words, 'mcp', ...optionsOf(launch)] };
}

/** The line that a hook has run: agents hand it to a POSIX shell, on Windows to that of Git. */
export function hookLineOf(launch: Launch): string {
  const program = launch.program.map((word) => word.replaceAll('\\', '/'));
  return lineOf([...program, 'completions', '--hook', ...optionsOf(launch)]);
}

/** The text of an extension of pi. A module is not found by PATH, so it names the package of this program by its place. */
export function piExtensionOf({ named: { store, session } }: Launch): string {
  const module = join(dirname(realpathSync(process.argv[1] ?? '')), '..', 'adapters', 'pi.js');
  const options = { ...(store !== undefined && { dir: store }), ...(session !== undefined && { session }) };
  const words = Object.keys(options).length === 0 ? '' : JSON.stringify(options);
  return `// Written by \`outlive setup pi\`. \`outlive setup pi --undo\` removes it.
import { piExtension } from ${JSON.stringify(pathToFileURL(module).href)};

export default piExtension(${words});
`;
}

function optionsOf({ named: { store, session } }: Launch): string[] {
  return [
    ...(store === undefined ? [] : ['--store', store]),
    ...(session === undefined ? [] : ['--session', session]),
  ];
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
