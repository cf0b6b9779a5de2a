import { basename } from 'node:path';
import { bounds } from '../model/limits.ts';

/** Languages in which a blank at the beginning of a program means something. What follows -c they take as it is. */
const heedsBlanks = /^(?:python|pypy|ipython|xonsh)/;

/** Shells that can evaluate a file of any size as the command that they were given. */
const evaluates = /^(?:sh|ash|dash|bash|zsh|yash|posh|\w*ksh)(?:-?\d[\d.]*)?$/;

/** Reads the command from its file, without leaving a trace in the shell's variables or the line numbers. */
const evaluateFile = 'eval "shift; $(cat "$1")"';

/** A word of a command line, or the file that has it, or that has this one and all that follow. */
export type ShellWord = string | { readonly path: string; readonly holds: 'word' | 'words' };

/** What was asked for: a text for a shell, or the words of a program that runs without one. */
export type AskedCommand =
  | { readonly shell: string; readonly command: string; readonly words: null }
  /** The command is its words, quoted, for those who read. */
  | { readonly shell: null; readonly command: string; readonly words: readonly string[] };

/** Words that a request has room for beside what stands in front of them; the shim takes 128. */
const requestWords = 64;

/** Whether a command is too long for the record. */
export function isLong(command: string): boolean {
  const most = bounds.recordedCommandBytes;
  return command.length > most || Buffer.byteLength(command) > most;
}

/** What has to be in the file of a command: the command, or the words after the program. Null: nothing. */
export function fileOfCommand({ shell, command, words }: AskedCommand): string | null {
  if (words === null) return isLong(command) ? notAnOption(command, basename(shell)) : null;
  const isInFile = isLong(command) || words.length > requestWords;
  return isInFile
    ? words
        .slice(1)
        .map((word) => `${word}\0`)
        .join('')
    : null;
}

/**
 * The command line of what was asked for.
 * @param path the file of the command, when {@link fileOfCommand} has something for it.
 */
export function commandLine(asked: AskedCommand, path: string): ShellWord[] {
  const isInFile = fileOfCommand(asked) !== null;
  if (asked.words === null) return shellWords(asked.shell, asked.command, isInFile ? path : null);
  const [program = ''] = asked.words;
  return isInFile ? [program, { path, holds: 'words' }] : [...asked.words];
}

/**
 * A command as the word after `-c`. Most shells take one that begins with `-` or `+` for more of their options, and what
 * follows it for the command: a blank in front, which says nothing to them, prevents that. Not all know `--` there.
 */
export function notAnOption(command: string, shellName: string): string {
  return /^[-+]/.test(command) && !heedsBlanks.test(shellName) ? ` ${command}` : command;
}

/** Whether a shell gets a command as an argument, as it was given. */
export function isArgument(command: string, shell: string): boolean {
  return Buffer.byteLength(notAnOption(command, basename(shell))) <= bounds.argumentBytes;
}

/** Whether a shell can run a command of that size at all. */
export function fitsShell(command: string, shell: string): boolean {
  return isArgument(command, shell) || evaluates.test(basename(shell));
}

/**
 * The command line of a shell that runs a command.
 * @param file the file that has the command, as {@link notAnOption} makes it; null where the record has it.
 */
function shellWords(shell: string, command: string, file: string | null): ShellWord[] {
  // The name after the command is the shell's $0, so that its messages begin with it and not with a path.
  const shell0 = basename(shell);
  if (file === null) return [shell, '-c', notAnOption(command, shell0), shell0];
  if (isArgument(command, shell)) return [shell, '-c', { path: file, holds: 'word' }, shell0];
  return [shell, '-c', evaluateFile, shell0, file];
}
