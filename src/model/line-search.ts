import { bytesBehind, characterEnd } from '../util/bytes.ts';
import { bounds } from './limits.ts';
import type { SearchCost } from './pattern-cost.ts';
import { plainLine, rawIndexOf } from './plain-line.ts';

/** A pattern that was found in the output. Offsets count bytes as the command wrote them. */
export interface PatternMatch {
  /** Where the match begins. Exact where the line is valid UTF-8. */
  readonly offset: number;
  /** Where it ends; a search `from` here finds what comes after it. */
  readonly nextOffset: number;
  /** What matched, without escapes, cut to 4096 characters. */
  readonly text: string;
  /** What the groups of a regular expression matched; `null` for one that took no part. */
  readonly groups: readonly (string | null)[];
  /** The line without escapes; of a very long one, 4096 characters around the match. */
  readonly line: string;
  /** Where the line begins. */
  readonly lineOffset: number;
}

/** A match in a line of text. */
interface Found {
  readonly index: number;
  readonly length: number;
  readonly groups: readonly (string | null)[];
}

/** What looks for a pattern. */
export interface LineMatcher extends SearchCost {
  /** Finds the first match that begins at `from` or after it. */
  find(line: string, from: number): Found | null;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Bytes of a line, and what they show. */
interface Text {
  readonly bytes: Buffer;
  readonly raw: string;
  readonly plain: string;
}

/** Where the next piece of a line begins: by bytes, and by what they show. */
interface Cut {
  readonly byte: number;
  readonly index: number;
}

/**
 * Searches output line by line, as it comes in: the first match of each line. A line ends with a line feed or
 * a carriage return (each state of a progress bar is a line, so what is found does not depend on when
 * somebody looks). What has no end yet is searched as far as it goes. Time and memory are bounded: a line that is longer
 * than a piece is searched in pieces that overlap; see {@link SearchCost}.
 */
export class LineSearch {
  readonly #matcher: LineMatcher;
  /** The line that has not ended, or its last piece. */
  #open: Buffer = Buffer.alloc(0);
  #openOffset: number;
  #lineOffset: number;
  /** Characters of `#open` that were searched before. */
  #searched = 0;
  /** Bytes of it. */
  #searchedBytes = 0;
  #matched: boolean;
  #afterReturn = false;
  #steps = 0;

  /** @param lineIsSeen the line that `from` is in had its match: the search begins after its end. */
  constructor(matcher: LineMatcher, from: number, lineIsSeen = false) {
    this.#matcher = matcher;
    this.#matched = lineIsSeen;
    this.#openOffset = from;
    this.#lineOffset = from;
  }

  /** Steps that were taken since this was asked last. */
  spent(): number {
    const steps = this.#steps;
    this.#steps = 0;
    return steps;
  }

  /** Takes the bytes at `offset`, no more than a stretch, and gives the matches in lines that end in them. */
  take(bytes: Buffer, offset: number): PatternMatch[] {
    const matches: PatternMatch[] = [];
    const add = (match: PatternMatch | null): void => {
      if (match !== null) matches.push(match);
    };
    // Behind a stretch that is not there another line begins.
    if (offset !== this.#openOffset + this.#open.length) add(this.breakLine(offset));
    let at = this.#afterReturn && bytes[0] === lineFeed ? 1 : 0;
    if (at === 1) this.#beginLine(offset + 1);
    if (bytes.length > 0) this.#afterReturn = false;
    for (let end = lineEnd(bytes, at); end >= 0; end = lineEnd(bytes, at)) {
      const isPair = bytes[end] === carriageReturn && bytes[end + 1] === lineFeed;
      const next = isPair ? end + 2 : end + 1;
      this.#afterReturn = bytes[end] === carriageReturn && next === bytes.length && !isPair;
      add(this.#endLine(bytes.subarray(at, end), offset + next));
      at = next;
    }
    add(this.#keep(bytes.subarray(at)));
    return matches;
  }

  /** What comes next, at `offset`, is another line, although the one before has no end. */
  breakLine(offset: number): PatternMatch | null {
    this.#afterReturn = false;
    if (this.#open.length > 0) return this.#endLine(Buffer.alloc(0), offset);
    this.#beginLine(offset);
    return null;
  }

  /** Searches what there is of a line that has not ended: a prompt, or what nothing will be added to. */
  rest(): PatternMatch | null {
    // Half a character is none yet.
    const end = characterEnd(this.#open, this.#open.length);
    if (this.#matched || end <= this.#searchedBytes) return null;
    return this.#search(textOf(this.#open.subarray(0, end)), this.#searched - this.#matcher.overlap);
  }

  #endLine(last: Buffer, nextLine: number): PatternMatch | null {
    const line = this.#open.length === 0 ? last : Buffer.concat([this.#open, last]);
    const match = this.#matched ? null : this.#search(textOf(line), 0);
    this.#beginLine(nextLine);
    return match;
  }

  #beginLine(offset: number): void {
    this.#open = Buffer.alloc(0);
    this.#openOffset = offset;
    this.#lineOffset = offset;
    this.#searched = 0;
    this.#searchedBytes = 0;
    this.#matched = false;
  }

  #keep(more: Buffer): PatternMatch | null {
    if (more.length === 0) return null;
    this.#open = Buffer.concat([this.#open, more]);
    if (this.#open.length <= this.#matcher.pieceBytes) return null;
    const text = textOf(this.#open);
    const cut = this.#cutOf(text);
    const from = this.#searched - this.#matcher.overlap;
    const match = this.#matched ? null : this.#search(text, from, cut.index);
    this.#open = this.#open.subarray(cut.byte);
    this.#openOffset += cut.byte;
    this.#searched = text.plain.length - cut.index;
    this.#searchedBytes = this.#open.length;
    return match;
  }

  /** The next piece begins at a character that shows: not within one, nor within an escape. */
  #cutOf({ bytes, raw, plain }: Text): Cut {
    const { overlap, pieceBytes } = this.#matcher;
    const least = bytes.length - (pieceBytes * 3) / 4;
    for (const characters of [overlap, Math.ceil(overlap / 2), Math.ceil(overlap / 8), 1]) {
      const index = Math.max(0, plain.length - characters);
      const byte = bytesBehind(bytes, rawIndexOf(raw, index));
      if (byte >= least) return { byte, index };
    }
    // What shows nothing for this long, such as a title without an end, is not kept.
    return { byte: bytes.length, index: plain.length };
  }

  /**
   * @param undecided a match that begins after this and reaches the end may be longer, or none: the next piece tells.
   */
  #search(text: Text, from: number, undecided = Number.POSITIVE_INFINITY): PatternMatch | null {
    const { bytes, plain } = text;
    // The first character of a later piece was searched in the one before: it tells that no line begins there.
    const least = this.#openOffset > this.#lineOffset ? 1 : 0;
    const begin = Math.min(plain.length, Math.max(least, from));
    this.#searched = plain.length;
    this.#searchedBytes = bytes.length;
    this.#steps += (plain.length - begin) * this.#matcher.steps + bytes.length;
    const found = this.#matcher.find(plain, begin);
    if (found === null) return null;
    if (found.index > undecided && found.index + found.length === plain.length) return null;
    this.#matched = true;
    return this.#match(text, found);
  }

  #match({ bytes, raw, plain }: Text, { index, length, groups }: Found): PatternMatch {
    const begin = rawIndexOf(raw, index);
    const end = length === 0 ? begin : rawIndexOf(raw, index + length - 1) + 1;
    return {
      offset: this.#openOffset + bytesBehind(bytes, begin),
      nextOffset: this.#openOffset + bytesBehind(bytes, end),
      text: plain.slice(index, index + Math.min(length, bounds.matchChars)),
      groups: groups.map((group) => group?.slice(0, bounds.matchChars) ?? null),
      line: around(plain, index),
      lineOffset: this.#lineOffset,
    };
  }
}

function textOf(bytes: Buffer): Text {
  const raw = bytes.toString('utf8');
  return { bytes, raw, plain: plainLine(raw) };
}

function lineEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === lineFeed || byte === carriageReturn) return at;
  }
  return -1;
}

function around(line: string, index: number): string {
  if (line.length <= bounds.matchChars) return line;
  const begin = Math.max(0, Math.min(index - bounds.matchChars / 4, line.length - bounds.matchChars));
  return line.slice(begin, begin + bounds.matchChars);
}
