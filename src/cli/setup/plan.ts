import { type ConfigFile, type Owner, readConfig, textOf } from './config-file.ts';
import { jsonFormat } from './edit-json.ts';
import { tomlFormat } from './edit-toml.ts';
import {
  type Format,
  type Insertion,
  inserted,
  isSame,
  missingOf,
  type Piece,
  unusable,
  withoutInsertions,
} from './piece.ts';
import { hashOf, readRecord, type SetupRecord } from './record.ts';
import type { ConfigTarget } from './target.ts';
import { wholeFormat } from './whole-file.ts';

/** How a file stands: `by-hand`: it holds something of outlive that setup would write otherwise. */
export type TargetState = 'set-up' | 'by-hand' | 'not-set-up';

/** What would become of one file. */
export interface Plan {
  readonly file: ConfigFile;
  readonly before: string;
  /** The text of the file afterwards; null: it goes. Undefined: it stays as it is. */
  readonly after: string | null | undefined;
  /** What is remembered of it; null: nothing. */
  readonly record: SetupRecord | null;
  /** The folders that go with it. */
  readonly folders: readonly string[];
  /** Of an undo: the file is afterwards, byte for byte, what it was before setup. */
  readonly exact: boolean;
  readonly state: TargetState;
  /** A note on it, in a sentence. */
  readonly note: string | null;
}

const formats: Readonly<Record<ConfigTarget['format'], Format>> = {
  json: jsonFormat,
  toml: tomlFormat,
  whole: wholeFormat,
};

/** A text with everything that setup has put in taken out again. */
interface Without {
  readonly text: string;
  /** It is what the record says of the file without it. */
  readonly exact: boolean;
}

/**
 * What setup would do to a file. Nothing is written.
 * @throws OutliveError `CONFIG_UNUSABLE`.
 */
export function planSetup(target: ConfigTarget, owner: Owner): Plan {
  const { file, format, mark, text, record } = opened(target, owner);
  const states = target.pieces.map((piece) => format.stateOf(text, piece, target.path));
  const isOld = (piece: Piece): boolean => isWritten(format, text, piece, record, target.path);
  const other = target.pieces.filter((piece, index) => states[index] === 'other' && !isOld(piece));
  const state = states.every((one) => one === 'same')
    ? 'set-up'
    : other.length > 0
      ? 'by-hand'
      : 'not-set-up';
  const note =
    other.length === 0
      ? null
      : target.format === 'whole'
        ? 'setup did not write it, so it stays as it is'
        : `it has an entry for outlive at ${namesOf(other)} that setup did not write; that stays as it is`;
  const stays = {
    file,
    before: text,
    after: undefined,
    record,
    folders: [],
    exact: false,
    state,
    note,
  } as const;
  const wanted = target.pieces.filter((piece) => !other.includes(piece));
  if (wanted.every((piece) => states[target.pieces.indexOf(piece)] === 'same')) return stays;
  const { text: base } = without(target, format, text, record, file);
  const result = put(format, base, wanted, target.path);
  const isNew = file.bytes === null || (record?.before === null && base.trim() === '');
  const after = mark + result.text;
  const remembered: SetupRecord = {
    v: 1,
    path: file.real,
    before: isNew ? null : hashOf(mark + base),
    after: hashOf(after),
    inserted: result.insertions,
    pieces: wanted.map(({ path, value, isElement = false }) => ({ path, value, isElement })),
    made: result.made,
    folders: record?.folders ?? [],
  };
  return { ...stays, before: mark + text, after, record: remembered };
}

/**
 * What an undo would do to a file. Nothing is written.
 * @throws OutliveError `CONFIG_UNUSABLE`.
 */
export function planUndo(target: ConfigTarget, owner: Owner): Plan {
  const { file, format, mark, text, record } = opened(target, owner);
  const states = target.pieces.map((piece) => format.stateOf(text, piece, target.path));
  const folders = record?.folders ?? [];
  const stays = {
    file,
    before: mark + text,
    record: null,
    folders,
    exact: false,
    state: 'not-set-up',
    note: null,
  } as const;
  if (file.bytes === null) return { ...stays, after: undefined };
  const left = without(target, format, text, record, file);
  if (left.text === text) {
    const isThere = states.includes('other');
    return {
      ...stays,
      after: undefined,
      note: isThere ? 'a person wrote or changed its entry for outlive, so the entry stays' : null,
    };
  }
  const goes =
    target.format === 'whole' ||
    (record?.before === null &&
      (left.exact || left.text.trim() === '' || isSame(format.dataOf(left.text, target.path), {})));
  const note = left.exact
    ? null
    : record === null
      ? 'there is no record of how it was before: setup removes only what looks as setup writes it'
      : 'it was edited since: setup removes what it added, and leaves the rest';
  return { ...stays, after: goes ? null : mark + left.text, exact: left.exact, note };
}

function opened(
  target: ConfigTarget,
  owner: Owner,
): { file: ConfigFile; format: Format; mark: string; text: string; record: SetupRecord | null } {
  const file = readConfig(target.path, owner);
  return { file, format: formats[target.format], ...textOf(file), record: readRecord(file.real) };
}

/** A piece that setup has written earlier, in another form than now, is setup's to replace. */
function isWritten(
  format: Format,
  text: string,
  piece: Piece,
  record: SetupRecord | null,
  path: string,
): boolean {
  return (
    record?.pieces.some(
      (old) => isSame(old.path, piece.path) && format.stateOf(text, old, path) === 'same',
    ) ?? false
  );
}

function without(
  { pieces, path }: ConfigTarget,
  format: Format,
  text: string,
  record: SetupRecord | null,
  { bytes }: ConfigFile,
): Without {
  if (record !== null && bytes !== null && hashOf(bytes) === record.after) {
    const base = withoutInsertions(text, record.inserted);
    const whole = base === null ? null : (text === bytes.toString('utf8') ? '' : '\uFEFF') + base;
    if (
      base !== null &&
      whole !== null &&
      (record.before === null ? base === '' : hashOf(whole) === record.before)
    )
      return { text: base, exact: true };
  }
  let left = text;
  const known = record === null ? pieces : [...record.pieces, ...pieces];
  for (const piece of known) {
    if (format.stateOf(left, piece, path) !== 'same') continue;
    const shorter = format.remove(left, piece, record?.made ?? [], path);
    if (format.stateOf(shorter, piece, path) === 'same')
      throw unusable(
        path,
        `${namesOf([piece])} in a form that setup can remove`,
        'another',
        'Remove it by hand.',
      );
    checkRest(format, left, shorter, piece, record?.made ?? [], path);
    left = shorter;
  }
  return { text: left, exact: false };
}

function put(
  format: Format,
  base: string,
  pieces: readonly Piece[],
  path: string,
): { text: string; insertions: Insertion[]; made: string[][] } {
  let text = base;
  const insertions: Insertion[] = [];
  const made: string[][] = [];
  for (const piece of pieces) {
    if (format.stateOf(text, piece, path) !== 'absent') continue;
    const missing = missingOf(format.dataOf(text, path), piece.path);
    const more = format.insert(text, piece, path);
    const longer = inserted(text, more);
    checkRest(format, longer, text, piece, missing, path);
    if (format.stateOf(longer, piece, path) !== 'same') throw unreadable(path);
    insertions.push(...more);
    made.push(...missing);
    text = longer;
  }
  return { text, insertions, made };
}

/** Whatever the text looks like, all that it says besides the piece is the same with and without it. */
function checkRest(
  format: Format,
  withPiece: string,
  withoutPiece: string,
  piece: Piece,
  made: readonly (readonly string[])[],
  path: string,
): void {
  const [more, less] = [withPiece, withoutPiece].map((text) =>
    withoutPieceIn(format.dataOf(text, path), piece, made),
  );
  if (!isSame(more ?? {}, less ?? {})) throw unreadable(path);
}

/** Plain data without a piece, and without what is empty then. */
function withoutPieceIn(data: unknown, piece: Piece, made: readonly (readonly string[])[]): unknown {
  return [...made, piece.path]
    .sort((a, b) => b.length - a.length)
    .reduce((left, way) => removedAt(left, way, isSame(way, piece.path) ? piece : null), data);
}

function removedAt(data: unknown, [name, ...rest]: readonly string[], piece: Piece | null): unknown {
  if (name === undefined || typeof data !== 'object' || data === null || !Object.hasOwn(data, name))
    return data;
  const { [name]: inner, ...others } = data as Record<string, unknown>;
  if (rest.length > 0) return { ...others, [name]: removedAt(inner, rest, piece) };
  if (piece !== null && piece.isElement !== true) return others;
  const elements =
    piece === null || !Array.isArray(inner) ? inner : inner.filter((one) => !isSame(one, piece.value));
  const isEmpty = typeof elements === 'object' && elements !== null && Object.keys(elements).length === 0;
  return isEmpty ? others : { ...others, [name]: elements };
}

function unreadable(path: string): Error {
  return unusable(
    path,
    'a form that setup can write into without changing anything else',
    'another',
    'Add outlive by hand.',
  );
}

function namesOf(pieces: readonly Piece[]): string {
  return pieces.map(({ path }) => path.join('.')).join(' and ');
}
