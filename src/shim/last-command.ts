import { NotUnderstood, wordEnd } from './word-end.ts';

/** Words that begin a construct where a command may stand, and those that end one. */
const begins: ReadonlySet<string> = new Set(['if', 'while', 'until', 'for', 'select', '{']);
const ends: ReadonlySet<string> = new Set(['fi', 'done', '}']);

/** Words after which a command may still stand. */
const goesOn: ReadonlySet<string> = new Set([
  'then',
  'do',
  'else',
  'elif',
  '!',
  'time',
  'if',
  'while',
  'until',
  '{',
]);

/** Words whose constructs are not read: a pattern of `case` has a bracket without its partner. */
const unread: ReadonlySet<string> = new Set(['case', 'esac', 'coproc', 'function']);

/** Everything that is no word. */
const sign = /[ \t]+|\\\n|#[^\n]*|\n|;;?|&>>?|&&?|\|[|&]?|<<<|<<-?|[<>]\(|[<>][<>&|]?|[()]/y;

/** What begins a document and the word that ends it, if that is plain. */
const documentWord = /[ \t]*(['"]?)(\w+)\1(?=[\s;|&<>)]|$)/y;

/**
 * Whether the last command of a text is a pipeline, or a compound command such as a loop, as bash reads it. Only then the
 * shell is still there when it has ended: a simple command at the end of a text takes its place.
 *
 * False where the text is not understood.
 */
export function endsInPipeline(text: string): boolean {
  return readThrough(text)?.isPipeline() ?? false;
}

/** The parts of the pipeline that a text ends with, in order; a single one when that is a plain command. Empty where the text is not understood. */
export function lastPipeline(text: string): readonly string[] {
  return readThrough(text)?.parts() ?? [];
}

function readThrough(text: string): Reader | null {
  try {
    const reader = new Reader(text);
    while (reader.reads());
    return reader;
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

/** Goes through a text once, and keeps what it has to know of the command that it is in. */
class Reader {
  readonly #text: string;
  #at = 0;
  /** Constructs that are open. */
  #depth = 0;
  /** The words that end the documents which begin after this line, and whether tabs may stand in front of them. */
  #documents: { readonly end: string; readonly tabs: boolean }[] = [];
  /** Of the last command outside of all constructs: */
  #hasBar = false;
  #isCompound = false;
  #isBackground = false;
  /** A command may stand here, so some words have a meaning. */
  #atCommand = true;
  /** The next word is the target of a redirection. */
  #isTarget = false;
  /** Something was there since the last separator; after `|`, `&&` and `||` it has to come. */
  #isCommandNext = false;
  #isEmpty = true;
  /** Where the sign or word begins that is read. */
  #from = 0;
  /** The parts of the last pipeline that have ended, and where the one begins that has not; null: it has ended. */
  #parts: string[] = [];
  #partFrom: number | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  isPipeline(): boolean {
    const isWhole = this.#depth === 0 && !this.#isCommandNext && this.#documents.length === 0;
    return isWhole && !this.#isBackground && (this.#hasBar || this.#isCompound);
  }

  /** The parts of the last pipeline outside of all constructs. */
  parts(): readonly string[] {
    this.#endPart(this.#text.length);
    return this.#parts;
  }

  /** False at the end of the text. */
  reads(): boolean {
    if (this.#at >= this.#text.length) return false;
    this.#from = this.#at;
    sign.lastIndex = this.#at;
    const found = sign.exec(this.#text)?.[0];
    if (found === undefined) this.#word();
    else {
      this.#at += found.length;
      this.#sign(found);
    }
    return true;
  }

  #sign(found: string): void {
    switch (found) {
      case '\n':
        for (const { end, tabs } of this.#documents.splice(0)) this.#skipDocument(end, tabs);
        if (!this.#isCommandNext) this.#separate(false);
        return;
      case ';':
      case '&':
        this.#separate(found === '&');
        return;
      case '&&':
      case '||':
        this.#separate(false);
        this.#isCommandNext = true;
        return;
      case '|':
      case '|&':
        this.#begin();
        if (this.#depth === 0) this.#nextPart();
        this.#atCommand = this.#isCommandNext = true;
        return;
      case '(':
      case '<(':
      case '>(':
        if (found === '(') this.#begin(this.#atCommand);
        this.#depth += 1;
        this.#atCommand = true;
        return;
      case ')':
        this.#end();
        return;
      case ';;':
        throw new NotUnderstood();
      case '<<':
      case '<<-':
        this.#document(found === '<<-');
        return;
      default:
        this.#isTarget = /^[<>&]/.test(found) || (this.#isTarget && !found.startsWith('#'));
    }
  }

  /** A separator: what comes after it is another command, if anything does. */
  #separate(isBackground: boolean): void {
    this.#atCommand = true;
    this.#isCommandNext = false;
    if (this.#depth > 0) return;
    if (!this.#isEmpty) this.#isBackground = isBackground;
    this.#isEmpty = true;
    this.#endPart(this.#from);
  }

  #nextPart(): void {
    this.#hasBar = true;
    this.#endPart(this.#from);
    this.#partFrom = this.#at;
  }

  #endPart(to: number): void {
    if (this.#partFrom !== null) this.#parts.push(this.#text.slice(this.#partFrom, to).trim());
    this.#partFrom = null;
  }

  /** Something of a command. */
  #begin(isCompound = false): void {
    this.#isCommandNext = false;
    if (this.#depth > 0) return;
    if (this.#isEmpty) {
      this.#isCompound = isCompound;
      this.#hasBar = this.#isBackground = false;
      this.#parts = [];
      this.#partFrom = this.#from;
    }
    this.#isEmpty = false;
  }

  #end(): void {
    this.#depth -= 1;
    if (this.#depth < 0) throw new NotUnderstood();
    this.#atCommand = true;
  }

  #word(): void {
    const from = this.#at;
    this.#at = wordEnd(this.#text, from);
    const isCommand = this.#atCommand && !this.#isTarget;
    const word = isCommand ? this.#text.slice(from, this.#at) : '';
    if (unread.has(word)) throw new NotUnderstood();
    this.#begin(begins.has(word));
    if (isCommand) this.#atCommand = goesOn.has(word);
    this.#isTarget = false;
    if (begins.has(word)) this.#depth += 1;
    else if (ends.has(word)) this.#end();
  }

  #document(tabs: boolean): void {
    documentWord.lastIndex = this.#at;
    const word = documentWord.exec(this.#text);
    if (word?.[2] === undefined) throw new NotUnderstood();
    this.#at += word[0].length;
    this.#documents.push({ end: word[2], tabs });
  }

  #skipDocument(end: string, tabs: boolean): void {
    for (;;) {
      if (this.#at >= this.#text.length) throw new NotUnderstood();
      const found = this.#text.indexOf('\n', this.#at);
      const to = found === -1 ? this.#text.length : found;
      const line = this.#text.slice(this.#at, to);
      this.#at = to + 1;
      if ((tabs ? line.replace(/^\t+/, '') : line) === end) return;
    }
  }
}
