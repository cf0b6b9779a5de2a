import { OutliveError } from '../../errors/error.ts';

/** What setup puts into a file of an agent: a member, or an element of an array. */
export interface Piece {
  /** The names that lead to it from the top: of the member itself, or of the array. */
  readonly path: readonly string[];
  /** Plain data. */
  readonly value: unknown;
  readonly isElement?: boolean;
  /** Of an element: what one that somebody has written by hand for the same purpose holds. */
  readonly alike?: RegExp;
}

/** `same`: it is there as setup writes it; `other`: something else is in its place. */
type PieceState = 'absent' | 'same' | 'other';

/** Text that is put into another one. */
export interface Insertion {
  /** Where, in UTF-16 units of the text as it is when this one's turn comes. */
  readonly at: number;
  readonly text: string;
}

/** How pieces are put into files of one format, so that nothing else in them changes. */
export interface Format {
  /** @throws OutliveError `CONFIG_UNUSABLE` when the text cannot be parsed, or has something else than objects on the way. */
  stateOf(text: string, piece: Piece, file: string): PieceState;
  /** Puts in a piece that is absent. @throws OutliveError `CONFIG_UNUSABLE`. */
  insert(text: string, piece: Piece, file: string): readonly Insertion[];
  /**
   * The text without a piece that is there as it was written. What `made` leads to, and is empty then, goes as well.
   * @throws OutliveError `CONFIG_UNUSABLE`.
   */
  remove(text: string, piece: Piece, made: readonly (readonly string[])[], file: string): string;
  /** What the text says, as plain data; undefined when it says nothing. */
  dataOf(text: string, file: string): unknown;
}

/** A file of an agent that setup leaves as it is. */
export function unusable(file: string, wanted: string, found: string, advice: string): OutliveError {
  return new OutliveError(
    'CONFIG_UNUSABLE',
    `expected ${wanted} in ${file}; found ${found}. ${advice} Nothing was written.`,
    { details: { path: file } },
  );
}

/** A text with all insertions made, one after the other. */
export function inserted(text: string, insertions: readonly Insertion[]): string {
  return insertions.reduce((made, { at, text: more }) => made.slice(0, at) + more + made.slice(at), text);
}

/**
 * The text as it was before the insertions.
 * @returns null when one of them is not where it was put.
 */
export function withoutInsertions(text: string, insertions: readonly Insertion[]): string | null {
  let left = text;
  for (const { at, text: more } of insertions.toReversed()) {
    if (!left.startsWith(more, at)) return null;
    left = left.slice(0, at) + left.slice(at + more.length);
  }
  return left;
}

/** What a path leads to in plain data. */
export function valueAt(data: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (isTable(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    data,
  );
}

/** The beginnings of a path, itself included, that lead to nothing in the data: inserting at it makes them. */
export function missingOf(data: unknown, path: readonly string[]): string[][] {
  const beginnings = path.map((_, index) => path.slice(0, index + 1));
  return beginnings.filter((beginning) => valueAt(data, beginning) === undefined);
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Plain data is the same in both, in whichever order the members stand. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value instanceof Date) return String(value.toJSON());
  if (!isTable(value)) return typeof value === 'bigint' ? String(value) : value;
  const names = Object.keys(value).sort();
  return names.map((name) => [name, sorted(value[name])]);
}
