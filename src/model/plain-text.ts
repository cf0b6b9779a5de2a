import { stripVTControlCharacters } from 'node:util';

/**
 * Escapes that carry text of their own up to a terminator: titles, links, device strings. Unterminated ones end
 * with the line, so that they cannot hide the rest of the output.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const strings = /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?/g;

/** What is left of control characters, but for tabs; C1 ones act as escapes on some terminals. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * Text as a terminal would have left it: escapes are gone, and of a line that was written over and over
 * with carriage returns (a progress bar) the last state remains. Other control characters, which could
 * attack a terminal, are removed; tabs and line breaks stay.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text.replace(strings, '')).split('\n').map(foldLine).join('\n');
}

/** A colour or another look of text, which does no harm. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const looks = /(\x1b\[[\d;:]*m)/;

/** Control characters that do harm on a terminal: all but tabs, line breaks and carriage returns. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const harmful = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/**
 * Text for a terminal: colours stay, and so do carriage returns; whatever moves the cursor elsewhere, sets a
 * title, answers or rings is removed.
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

function foldLine(line: string): string {
  const written = line.replace(/\r+$/, '');
  return written.slice(written.lastIndexOf('\r') + 1).replace(controls, '');
}
