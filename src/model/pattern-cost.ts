/**
 * What searching costs is counted in steps: one instruction of a compiled pattern at one character of a line. A step
 * takes some 25 ns where a pattern makes the engine work hard, and next to nothing where it does not.
 */

/** After this many steps a turn of the event loop begins no further search: 3 ms of hard work. */
export const turnSteps = 128 * 1024;

/** What a piece of a line may cost, in steps. No search can stop within one. */
const pieceSteps = 256 * 1024;

/** A line is searched in pieces no longer than this, however little a character costs. */
const longestPiece = 256 * 1024;

/** What stands across the border of two pieces is found when it is no longer than this, or half a piece. */
const longestOverlap = 64 * 1024;

/** Groups that double what a character costs: what they matched is copied at each step. */
const groupsThatDouble = 16;

/** The search for a text is native; a text that repeats itself makes it compare as many characters as this for a step. */
const comparisonsEach = 256;

/** How to search with a pattern so that no search holds a turn for long. */
export interface SearchCost {
  /** For each character, at most. */
  readonly steps: number;
  /** Bytes of a line that are searched at once, and a stretch more. */
  readonly pieceBytes: number;
  /** Bytes that are taken at once. The most that a search costs is what a piece and a stretch do. */
  readonly stretchBytes: number;
  /** Characters that two pieces of a line have in common. */
  readonly overlap: number;
}

/** What a text costs. */
export function costOfText(text: string): SearchCost {
  return costOf(Math.ceil(text.length / comparisonsEach));
}

/** What a regular expression costs, by the size of its program. */
export function costOfRegexp(instructions: number, groups: number): SearchCost {
  return costOf(Math.ceil(instructions * (1 + groups / groupsThatDouble)));
}

function costOf(steps: number): SearchCost {
  const pieceBytes = Math.min(longestPiece, Math.floor(pieceSteps / steps));
  const overlap = Math.min(longestOverlap, Math.floor(pieceBytes / 2));
  return { steps, pieceBytes, stretchBytes: Math.ceil(pieceBytes / 4), overlap };
}
