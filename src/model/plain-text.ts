import { stripVTControlCharacters } from 'node:util';

/**
 * Text as a terminal would have left it: escapes are gone, and of a line that was written over and over
 * with carriage returns (a progress bar) the last state remains. Other control characters, which could
 * attack a terminal, are removed; tabs and line breaks stay.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).split('\n').map(foldLine).join('\n');
}

function foldLine(line: string): string {
  const written = line.replace(/\r+$/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return written.slice(written.lastIndexOf('\r') + 1).replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
}
