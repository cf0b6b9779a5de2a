/**
 * Control characters, marks that change the direction of text, and other invisible ones: in a name or a command they
 * could attack a terminal, or make it show other text than it got.
 */
export const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

const shortForms: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1b': '\\e' };

/** Text on one line, with everything invisible made visible. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => shortForms[character] ?? escaped(character));
}

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
