/** A text that is not understood. It is only read here; bash is who runs it. */
export class NotUnderstood extends Error {}

const special = /['"\\`$]/;

/** What ends a word outside of quotes. */
const outside = new Set(' \t\n;&|<>()');

/**
 * The end of the word of a bash command that begins at an offset, with its quotes and expansions.
 * @throws NotUnderstood where one of these has no end, or has something in it that is not read.
 */
export function wordEnd(text: string, begin: number): number {
  let at = begin;
  while (at < text.length && !outside.has(text.charAt(at))) at = pieceEnd(text, at);
  return at;
}

/** The end of one character, or of what it begins: a quotation, an expansion. */
function pieceEnd(text: string, at: number): number {
  const [one, two] = [text.charAt(at), text.charAt(at + 1)];
  if (!special.test(one)) return at + 1;
  if (one === '\\') return at + 2;
  if (one === "'") return endAt(text, text.indexOf("'", at + 1));
  if (one === '"') return quotedEnd(text, at + 1, '"', /[\\`$]/);
  if (one === '`') return quotedEnd(text, at + 1, '`', /\\/);
  if (two === "'") return quotedEnd(text, at + 2, "'", /\\/);
  if (two === '(') return bracketEnd(text, at + 2, '(', ')');
  return two === '{' ? bracketEnd(text, at + 2, '{', '}') : at + 1;
}

function endAt(text: string, at: number): number {
  if (at < 0 || at >= text.length) throw new NotUnderstood();
  return at + 1;
}

/** To the end of a quotation, in which some characters have a meaning. */
function quotedEnd(text: string, begin: number, quote: string, meaning: RegExp): number {
  let at = begin;
  while (at < text.length && text[at] !== quote) {
    const isQuote = text[at] === '$' && text[at + 1] === "'";
    at = meaning.test(text.charAt(at)) && !isQuote ? pieceEnd(text, at) : at + 1;
  }
  return endAt(text, at);
}

/** To the bracket that closes. Comments, documents and `case` may have one without its partner. */
function bracketEnd(text: string, begin: number, opening: string, closing: string): number {
  let at = begin;
  for (let depth = 1; depth > 0; ) {
    const one = text.charAt(at);
    if (one === opening) depth += 1;
    if (one === closing) depth -= 1;
    if (opening === '(' && /^(?:\s#|<<|case\s)/.test(text.slice(at, at + 5))) throw new NotUnderstood();
    at = special.test(one) ? pieceEnd(text, at) : endAt(text, at);
  }
  return at;
}
