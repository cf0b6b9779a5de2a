import { shown } from '../../errors/error.ts';
import { bounds } from '../../model/limits.ts';
import { findShell } from '../../platform/shells.ts';
import { type AskedCommand, fitsShell } from '../../shim/shell-words.ts';
import { lineOf } from '../../util/quote.ts';
import { fail, invalid, isWhole } from '../session/validate.ts';

/** Linux counts a pointer for each word, and every word ends with a NUL. */
const bytesBesideWord = 9;

/**
 * Checks a command: a text for a shell, or the words of a program.
 * @param shell the option of that name.
 * @throws OutliveError `INVALID_COMMAND`, `SHELL_NOT_FOUND`, `INVALID_ARGUMENT`.
 */
export function checkAsked(asked: unknown, shell: unknown): AskedCommand {
  if (Array.isArray(asked)) return checkProgram(asked, shell);
  if (shell !== undefined && typeof shell !== 'string') invalid('shell', 'a name or path', shell);
  const found = findShell(shell as string | undefined, process.env.PATH);
  return { shell: found, command: checkSize(checkCommand(asked), found), words: null };
}

function checkProgram(asked: readonly unknown[], shell: unknown): AskedCommand {
  if (shell !== undefined)
    fail(
      'INVALID_ARGUMENT',
      `expected no shell for a list of words, which runs without one; found ${shown(shell)}. Leave the option out, or give the command as one text.`,
    );
  if (process.platform === 'win32')
    refuse('one text on Windows, where a shell runs each command', 'a list of words', 'Quote the words.');
  // A copy: the caller may change the list before it is used. Holes become undefined.
  const words = Array.from(asked, checkWord);
  const [program = ''] = words;
  const programBytes = Buffer.byteLength(program);
  if (programBytes === 0 || programBytes > bounds.programBytes)
    refuse(
      `a list that begins with a program, a name or path of 1 to ${bounds.programBytes} bytes`,
      words.length === 0 ? 'an empty list' : `a program of ${programBytes} bytes`,
      'Put the program first.',
    );
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word) + bytesBesideWord, 0);
  if (bytes > bounds.wordsBytes)
    refuse(
      `a list of at most ${bounds.wordsBytes} bytes, with ${bytesBesideWord} more for each word`,
      `${bytes}`,
      'Put longer input into a file that the command reads.',
    );
  return { shell: null, command: lineOf(words), words };
}

function checkWord(word: unknown, index: number): string {
  const isText = typeof word === 'string';
  const bytes = isText ? Buffer.byteLength(word) : 0;
  if (isText && bytes <= bounds.argumentBytes && !word.includes('\0') && isWhole(word)) return word;
  // A word may be a secret: it is never repeated.
  const found = !isText ? shown(word) : (characterFault(word) ?? `${bytes} bytes`);
  return refuse(
    `a list of words, each a text of at most ${bounds.argumentBytes} bytes, of whole characters without NUL`,
    `${found} as word ${index}`,
    'Convert numbers to text, and put longer input into a file that the command reads.',
  );
}

function refuse(expected: string, found: string, advice: string): never {
  return fail('INVALID_COMMAND', `expected the command to be ${expected}; found ${found}. ${advice}`);
}

function checkCommand(command: unknown): string {
  const found = typeof command !== 'string' ? typeof command : commandFault(command);
  if (typeof command === 'string' && found === null) return command;
  return fail(
    'INVALID_COMMAND',
    `expected a command: text of 1 to ${bounds.commandBytes} bytes, of whole characters without NUL, or a list of words; found ${found}. Put longer input into a file that the command reads.`,
  );
}

/** Some interpreters take a command as an argument only. */
function checkSize(command: string, shell: string): string {
  if (process.platform === 'win32' || fitsShell(command, shell)) return command;
  return fail(
    'INVALID_COMMAND',
    `expected a command of at most ${bounds.argumentBytes} bytes for ${shown(shell, 4096)}, which takes it as one argument; found ${Buffer.byteLength(command)} bytes. Put it into a file and run that, or name another shell, such as bash.`,
  );
}

function commandFault(command: string): string | null {
  if (command.trim() === '') return 'an empty one';
  const bytes = Buffer.byteLength(command);
  return characterFault(command) ?? (bytes > bounds.commandBytes ? `${bytes} bytes` : null);
}

function characterFault(text: string): string | null {
  if (text.includes('\0')) return 'a NUL character';
  return isWhole(text) ? null : 'half a character, which has no bytes';
}
