import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { expected, tolerate } from '../errors/expected.ts';
import { endsInPipeline } from './last-command.ts';

const unreadable = expected('absent', 'refused', 'scarce', 'failing', 'busy');

/** A shell that can tell the status of each segment of its last pipeline. */
export type TellingShell = 'bash' | 'zsh';

/** A `|` that is no `||`. What is quoted counts too: then a shell is asked for nothing. */
const bar = /(?:^|[^|])\|(?:[^|]|$)/;

/** What would show that a shell was asked, wherever it stands in a text. */
const showsIt: Readonly<Record<TellingShell, RegExp>> = {
  // The trap; lines before they are run; the variables; the block of the environment that a process begins with.
  bash: /\b(?:trap|declare|typeset|BASH_ENV|BASH_ARG[CV])\b|\bset\s+(?:-\w*v|-o\s+verbose)|(?:^|[\n;|&({`])\s*set\s*(?:$|[\n;|&)}`>])|\/proc\/|\bps\s[^\n;|&]*e/,
  // The function, which triggers a trap on DEBUG; the block of the environment.
  zsh: /\b(?:trap|TRAP[A-Z]+|declare|typeset|functions|whence|zshexit|ZDOTDIR)\b|\/proc\/|\bps\s[^\n;|&]*e/,
};

/** Variables with which a shell does not read the file by which it is asked, or shows that it does. */
const inTheWay: Readonly<Record<TellingShell, readonly string[]>> = {
  bash: [
    'BASH_ENV',
    'POSIXLY_CORRECT',
    'SHELLOPTS',
    'BASHOPTS',
    ...['eval', 'unset', 'trap', 'return'].map((name) => `BASH_FUNC_${name}%%`),
  ],
  zsh: [],
};

/** Characters that would mean something to a shell between double quotes. */
const meansSomething = /["'`$\\\n]/;

/** What says whether a shell is asked. */
export interface PipelineQuestion {
  readonly command: string;
  /** Absolute path. */
  readonly shell: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where it is to answer. */
  readonly folder: string;
}

/**
 * The shell that is to tell the status of each segment of its last pipeline: `make | tee log` succeeds as far as the exit
 * code goes. Null where none can, where there is no pipeline, and where it could be seen in the command's output,
 * environment or exit code that a shell was asked. See native/src/pipes.c.
 */
export function tellingShell({ command, shell, environment, folder }: PipelineQuestion): TellingShell | null {
  const name = /(?:^|\/)(bash|zsh)$/.exec(shell)?.[1] as TellingShell | undefined;
  if (name === undefined || !bar.test(command) || showsIt[name].test(command)) return null;
  if (meansSomething.test(folder) || inTheWay[name].some((variable) => variable in environment)) return null;
  // A simple command at the end of a text takes the place of bash; of bash that has a trap, it does not.
  if (name === 'bash' && !endsInPipeline(command)) return null;
  // Such a shell reads no file of a variable's.
  if (process.getuid?.() !== process.geteuid?.()) return null;
  return isReally(name, shell) ? name : null;
}

const known = new Map<string, boolean>();

/** Whether a program is what its name says, and no link to another one, nor a script around it. */
function isReally(name: TellingShell, path: string): boolean {
  const before = known.get(path);
  if (before !== undefined) return before;
  try {
    const isSo = !isScript(path) && basename(realpathSync(path)).startsWith(name);
    known.set(path, isSo);
    return isSo;
  } catch (error) {
    // It may be executed and not read, or there is no descriptor just now.
    tolerate(error, unreadable, 'checking a shell');
    return false;
  }
}

function isScript(path: string): boolean {
  const start = Buffer.alloc(2);
  const file = openSync(path, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  return start.toString() === '#!';
}
