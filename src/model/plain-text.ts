import { stripVTControlCharacters } from 'node:util';
import { TerminalText } from './terminal-text.ts';

/**
 * Escapes that carry text of their own up to a terminator: titles, links, device strings. Unterminated ones end
 * with the line, so that they cannot hide the rest of the output.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const strings = /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?/g;

/** What a terminal would not show as it stands; tabs and line breaks, alone or with a carriage return, are no trouble. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unplain = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)/;

/**
 * Text as a terminal would have left it: escapes are gone, and of what was written over the last state remains,
 * whether by a carriage return (a progress bar), backspaces (a spinner) or a cursor that moved up (several bars).
 * Other control characters, which could attack a terminal, are removed; tabs and line breaks stay.
 */
export function plainText(text: string): string {
  if (!unplain.test(text)) return text.replaceAll('\r\n', '\n');
  const terminal = new TerminalText();
  return terminal.write(text) + terminal.end();
}

/** A colour or another look of text, or an erasure within the line: they do no harm. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const looks = /(\x1b\[(?:[\d;:]*m|[0-2]?K))/;

/** Control characters that do harm on a terminal: all but tabs, line breaks, and what goes back within the line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const harmful = /[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/**
 * Text for a terminal: colours stay, and so does what changes the line that is being written (carriage returns,
 * backspaces, erasures). Whatever moves the cursor elsewhere, sets a title, answers or rings is removed.
 */
export function harmlessText(text: string): string {
  return text
    .split(looks)
    .map((part, index) =>
      // The odd parts are the looks themselves.
      index % 2 === 1 ? part : stripVTControlCharacters(part.replace(strings, '')).replace(harmful, ''),
    )
    .join('');
}
