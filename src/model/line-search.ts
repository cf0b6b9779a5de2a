import { bounds } from './limits.ts';
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

/** Finds the first match of a pattern that begins at `from` or behind it. */
export type LineMatcher = (line: string, from: number) => Found | null;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Of a line that is searched in pieces, or again as it grows, so much is searched twice. */
const overlapBytes = 64 * 1024;

/**
 * Searches output line by line, as it comes in: the first match of each line. A line ends with a line feed or
 * a carriage return (each state of a progress bar is a line, so what is found does not depend on when
 * somebody looks). What has no end yet is searched as far as it goes. Memory is bounded: a line of more than
 * 1 MiB is searched in pieces that overlap by 64 KiB.
 */
export class LineSearch {
  readonly #matcher: LineMatcher;
  /** The line that has not ended, or its last piece. */
  #open: Buffer = Buffer.alloc(0);
  #openOffset: number;
  #lineOffset: number;
  /** Bytes of `#open` that were searched before. */
  #searched = 0;
  #matched: boolean;
  #afterReturn = false;

  /** @param lineIsSeen the line that `from` is in had its match: the search begins behind its end. */
  constructor(matcher: LineMatcher, from: number, lineIsSeen = false) {
    this.#matcher = matcher;
    this.#matched = lineIsSeen;
    this.#openOffset = from;
    this.#lineOffset = from;
  }

  /** Takes the bytes at `offset`, and gives the matches in lines that end in them. */
  take(bytes: Buffer, offset: number): PatternMatch[] {
    const matches: PatternMatch[] = [];
    const add = (match: PatternMatch | null): void => {
      if (match !== null) matches.push(match);
    };
    // Behind a stretch that was cut out another line begins.
    if (offset !== this.#openOffset + this.#open.length) {
      if (this.#open.length > 0) add(this.#endLine(Buffer.alloc(0), offset));
      this.#beginLine(offset);
    }
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

  /** Searches what there is of a line that has not ended: a prompt, or what nothing will be added to. */
  rest(): PatternMatch | null {
    if (this.#matched || this.#searched === this.#open.length) return null;
    const match = this.#search(this.#open, Math.max(0, this.#searched - overlapBytes));
    this.#searched = this.#open.length;
    return match;
  }

  #endLine(last: Buffer, nextLine: number): PatternMatch | null {
    const line = this.#open.length === 0 ? last : Buffer.concat([this.#open, last]);
    const match = this.#matched ? null : this.#search(line, 0);
    this.#beginLine(nextLine);
    return match;
  }

  #beginLine(offset: number): void {
    this.#open = Buffer.alloc(0);
    this.#openOffset = offset;
    this.#lineOffset = offset;
    this.#searched = 0;
    this.#matched = false;
  }

  #keep(more: Buffer): PatternMatch | null {
    if (more.length === 0) return null;
    this.#open = Buffer.concat([this.#open, more]);
    if (this.#open.length <= bounds.lineBytes) return null;
    const match = this.rest();
    this.#openOffset += this.#open.length - overlapBytes;
    this.#open = this.#open.subarray(-overlapBytes);
    this.#searched = overlapBytes;
    return match;
  }

  #search(bytes: Buffer, from: number): PatternMatch | null {
    const raw = bytes.toString('utf8');
    const plain = plainLine(raw);
    const found = this.#matcher(plain, Math.min(from, plain.length));
    if (found === null) return null;
    this.#matched = true;
    const begin = rawIndexOf(raw, found.index);
    const end = found.length === 0 ? begin : rawIndexOf(raw, found.index + found.length - 1) + 1;
    const offsetOf = (index: number): number =>
      this.#openOffset + Math.min(bytes.length, Buffer.byteLength(raw.slice(0, index)));
    return {
      offset: offsetOf(begin),
      nextOffset: offsetOf(end),
      text: plain.slice(found.index, found.index + Math.min(found.length, bounds.matchChars)),
      groups: found.groups.map((group) => group?.slice(0, bounds.matchChars) ?? null),
      line: around(plain, found.index),
      lineOffset: this.#lineOffset,
    };
  }
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
