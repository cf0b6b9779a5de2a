import { plainText } from '../../model/plain-text.ts';
import { invisible, visible } from '../../util/visible.ts';

/** The prefix of each line that a command printed. No line of ours begins with it. */
const mark = '| ';

/**
 * What a command printed, as models read it: without escapes, control characters and characters that change the
 * direction of text. Each line is marked, so that a model cannot take it for a line of ours.
 */
export function quoted(text: string): string {
  return marked(cleaned(text));
}

/** The same, but with escapes and control characters made visible. */
export function quotedRaw(text: string): string {
  return marked(text.split('\n').map(visible).join('\n'));
}

/** Text on one line, as names, labels and commands are shown, with invisible characters made visible. */
export function oneLine(text: string, most = Number.POSITIVE_INFINITY): string {
  const shown = visible(text);
  if (shown.length <= most) return shown;
  // A surrogate pair is not cut in half.
  return `${shown.slice(0, most).replace(/[\uD800-\uDBFF]$/, '')} ...`;
}

/** A name in quotes, on one line. */
export function inQuotes(name: string): string {
  return visible(JSON.stringify(name));
}

/** Output without characters that attack a terminal or a reader; tabs and line feeds stay. */
export function cleaned(text: string): string {
  return plainText(text)
    .split('\n')
    .map((line) => line.replace(invisible, (character) => (character === '\t' ? character : '')))
    .join('\n');
}

/** Characters of a last line that are shown. */
const lastLineChars = 160;

/** The last line of output that is not empty, cleaned; null if there is none. */
export function lastLine(text: string): string | null {
  const line = cleaned(text)
    .split('\n')
    .findLast((found) => found.trim() !== '');
  return line === undefined ? null : oneLine(line.trim().replaceAll('\t', ' '), lastLineChars);
}

function marked(text: string): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `${mark}${line}`)
    .join('\n');
}
