import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { isSystemError, OutliveError } from '../errors/error.ts';

/** The parser passes all words to one call, and each takes a place on the stack: some more than this find none. */
const mostWords = 100_000;

/**
 * Refuses more words than can be parsed.
 * @throws OutliveError `USAGE`.
 */
export function checkCount(words: readonly string[]): void {
  if (words.length <= mostWords) return;
  throw new OutliveError(
    'USAGE',
    `expected at most ${mostWords} words; found ${words.length}. Put them into a file that the command reads, or have xargs make several calls.`,
  );
}

/**
 * Refuses words with bytes that are no UTF-8. Node shows U+FFFD in their place, so another command would be run, or in
 * another folder.
 * @throws OutliveError `USAGE`. It does not repeat the word, which may hold a secret.
 */
export function checkWords(words: readonly string[]): void {
  const suspect = words.findIndex((word) => word.includes('\uFFFD'));
  // Windows has text of another kind.
  if (suspect < 0 || process.platform === 'win32') return;
  const typed = typedWords(words.length);
  const at = typed === null ? suspect : typed.findIndex((word) => !isUtf8(word));
  if (at < 0) return;
  throw new OutliveError(
    'USAGE',
    `expected words of UTF-8 text; found other bytes in word ${at + 1}. Put them into a file, or have the command make them, such as printf '\\377'.`,
  );
}

/** The last words of this process, as the system has them; null where it does not show them. */
function typedWords(count: number): Buffer[] | null {
  try {
    // Each ends with NUL.
    const all = readFileSync('/proc/self/cmdline').toString('latin1').split('\0').slice(0, -1);
    return all.slice(-count).map((word) => Buffer.from(word, 'latin1'));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}
