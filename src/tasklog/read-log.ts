import { constants, fstatSync, openSync, readSync } from 'node:fs';
import { readFailed, systemCode } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import type { Fact } from '../model/facts.ts';
import { type Facts, foldFacts } from '../model/fold.ts';
import { bounds } from '../model/limits.ts';
import type { FileIdentity } from '../model/words.ts';
import { withSpare } from '../util/spare.ts';
import { parseFact } from './codec.ts';
import { careful, letGo } from './files.ts';
import { isBlank } from './log.ts';

/** The facts of a log. */
interface ReadFacts {
  /** In the order of the file. */
  readonly list: readonly Fact[];
  /** Some lines were not read: there are too many, too many are garbage, or there is more in one than in any fact. */
  readonly isPartial: boolean;
  /** Every line that begins like a fact is one. */
  readonly isClean: boolean;
}

/** A log as read from disk. */
export interface TaskLog extends ReadFacts {
  /** What the facts say together. */
  readonly facts: Facts;
  /** Size of the file; 0 for a log that was created and not yet written, or spoiled before it was. */
  readonly bytes: number;
  /** When the last fact was appended, epoch milliseconds. */
  readonly modifiedAt: number;
  readonly file: FileIdentity;
  /** The user who owns the file; 0 on Windows. */
  readonly owner: number;
  /** What the facts were parsed from, where the next read can go on from there. */
  readonly text: string | null;
}

/** A log as it was read before. */
type KnownLog = ReadFacts & Pick<TaskLog, 'facts' | 'text'>;

/** The number of logs whose facts are kept: a quarter of a megabyte, and a megabyte at most. */
const keptLogs = 64;

/**
 * The logs that were read last. One thing that happens to a task reads its log several times, and each time most of it is
 * what was there before. At the end of a task that has run for long its whole log is known, but for the end.
 */
export class RecentLogs {
  readonly #logs = new Map<string, KnownLog>();

  /** See {@link readLog}. */
  read(path: string): TaskLog | null {
    const log = readLog(path, this.#logs.get(path));
    this.#logs.delete(path);
    if (log !== null && log.text !== null) this.#keep(path, log);
    return log;
  }

  /** Takes what was just written to a new log for read. */
  wrote(path: string, text: string): void {
    const read = parseLog(text);
    if (read.isClean && text.length <= scratch.length)
      this.#keep(path, { ...read, facts: foldFacts(read.list), text });
  }

  #keep(path: string, log: KnownLog): void {
    if (this.#logs.size >= keptLogs) this.#logs.delete(this.#logs.keys().next().value ?? '');
    this.#logs.set(path, log);
  }
}

/**
 * Reads and folds a log; null if there is none, or if it is not a file.
 * @param before the same log as it was read before: the part that has not changed is not parsed again.
 * @throws OutliveError `READ_FAILED`.
 */
export function readLog(path: string, before?: KnownLog): TaskLog | null {
  try {
    return withSpare(() => readNow(path, before));
  } catch (error) {
    if (unreadable.has(systemCode(error) ?? '')) return null;
    throw readFailed(path, error);
  }
}

function readNow(path: string, before: KnownLog | undefined): TaskLog | null {
  const descriptor = openSync(path, constants.O_RDONLY | careful);
  try {
    return readOpen(descriptor, before);
  } finally {
    letGo(descriptor);
  }
}

function readOpen(descriptor: number, before?: KnownLog): TaskLog | null {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) return null;
  const { size, mtimeMs: modifiedAt, uid: owner, dev, ino } = stat;
  const isWhole = size <= bounds.logBytes;
  const text = textAt(descriptor, 0, isWhole ? size : bounds.logHeadBytes);
  const tail = isWhole ? null : textAt(descriptor, size - bounds.logTailBytes, bounds.logTailBytes);
  const read = tail === null && before !== undefined ? readOn(before, text) : parseLog(text, tail);
  const facts = read.list === before?.list ? before.facts : foldFacts(read.list);
  // A line that is not whole yet, or is none of ours, is read again. A large log is somebody else's work.
  const isKept = read.isClean && size <= scratch.length && text.endsWith('\n');
  const bytes = read.list.length === 0 && isBlank(text) ? 0 : size;
  const { list, isPartial, isClean } = read;
  return {
    list,
    isPartial,
    isClean,
    facts,
    bytes,
    modifiedAt,
    owner,
    file: { dev, ino },
    text: isKept ? text : null,
  };
}

/** A log that is held open, and can be read when it was removed meanwhile. */
export class HeldLog implements Disposable {
  readonly #path: string;
  readonly #descriptor: number | null;

  /** Holds nothing when it cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openOrNot(path);
  }

  /**
   * Null when it is not held.
   * @throws OutliveError `READ_FAILED`.
   */
  read(): TaskLog | null {
    try {
      return this.#descriptor === null ? null : readOpen(this.#descriptor);
    } catch (error) {
      throw readFailed(this.#path, error);
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== null) letGo(this.#descriptor);
  }
}

function openOrNot(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | careful);
  } catch (error) {
    tolerate(error, mayNotOpen, 'opening a log');
    return null;
  }
}

const mayNotOpen = expected('absent', 'refused', 'scarce', 'failing');

function textAt(descriptor: number, position: number, length: number): string {
  const buffer = length > scratch.length ? Buffer.allocUnsafe(length) : scratch;
  return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, length, position));
}

/** One buffer for all logs of a usual size: a thousand of them that are read at once would be megabytes of garbage. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);

/** Not there, a symbolic link, or a path that cannot be a file. */
const unreadable = new Set(['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EISDIR', 'EACCES']);

/**
 * Parses what a log has more than before. That it is the same log, and that nobody has changed what was there, its text
 * says: all of it is compared. (`startsWith` takes twenty times as long.)
 */
function readOn(before: KnownLog, text: string): ReadFacts {
  const known = before.text?.length ?? 0;
  if (known === 0 || text.slice(0, known) !== before.text) return parseLog(text);
  if (text.length === known) return before;
  const { list, ...rest } = parseLog(text.slice(known));
  return { list: [...before.list, ...list], ...rest };
}

/**
 * Parses a log. Lines that are torn, garbage, of an unknown kind or of a wrong form are skipped: what can be read counts.
 * Anybody who may write to a log may fill it, so the work is bounded: of too many lines the first and the last are read.
 * @param text the log, or its beginning.
 * @param tail the end of a log of which the middle was not read.
 */
export function parseLog(text: string, tail: string | null = null): ReadFacts {
  const first = parseFirst(text);
  if (first.end === -1 && tail === null)
    return { list: first.facts, isPartial: first.isPartial, isClean: first.isClean };
  const last = tail === null ? parseLast(text, first.end) : parseLast(tail, 0);
  return { list: [...first.facts, ...last], isPartial: true, isClean: false };
}

/** Parses lines from the first on. `end`: where the first line is that was not read; -1: all were. */
function parseFirst(text: string): {
  readonly facts: Fact[];
  readonly isPartial: boolean;
  readonly isClean: boolean;
  readonly end: number;
} {
  const parser = new LineParser(text);
  let at = text.startsWith('{') ? 0 : text.indexOf(lineStart) + 1 || -1;
  while (at !== -1 && parser.goesOn) at = text.indexOf(lineStart, parser.take(at)) + 1 || -1;
  const { facts, isPartial, isClean } = parser;
  return { facts, isPartial, isClean, end: at };
}

/** Parses lines from the last one back, down to one that begins at `first`. */
function parseLast(text: string, first: number): Fact[] {
  const parser = new LineParser(text);
  for (let end = text.length; end > 0 && parser.goesOn; ) {
    end = text.lastIndexOf(lineStart, end - 1);
    if (end + 1 < Math.max(1, first)) break;
    parser.take(end + 1);
  }
  return parser.facts.reverse();
}

/** Facts are objects. What begins otherwise is passed over by a search, and costs next to nothing. */
const lineStart = '\n{';

/** Of a text that is no longer than this, all values of JSON together cost little. */
const smallChars = 64 * 1024;

/** Values that are parsed of a longer one. Each costs some memory and time, and 20,000 facts have fewer. */
const mostValues = 150_000;

class LineParser {
  readonly facts: Fact[] = [];
  /** A line was left out that has more in it than any fact. */
  isPartial = false;
  readonly #text: string;
  #lines = 0;
  #garbage = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** No line was garbage. */
  get isClean(): boolean {
    return this.#garbage === 0;
  }

  /** Whether another line may be read. */
  get goesOn(): boolean {
    return this.#lines < bounds.logFacts / 2 && this.#garbage < bounds.garbageLines;
  }

  /** Reads the line that begins there, and returns its end. */
  take(at: number): number {
    const found = this.#text.indexOf('\n', at);
    const end = found === -1 ? this.#text.length : found;
    const isTooMuch = this.#isTooMuch(at, end);
    const fact = isTooMuch ? null : parseFact(this.#text.slice(at, end));
    this.isPartial ||= isTooMuch;
    this.#lines += 1;
    if (fact === null) this.#garbage += 1;
    else this.facts.push(fact);
    return end;
  }

  #isTooMuch(at: number, end: number): boolean {
    if (this.#text.length <= smallChars) return false;
    if (end - at > bounds.factBytes) return true;
    const values = this.#values + valuesIn(this.#text, at, end);
    if (values > mostValues) return true;
    this.#values = values;
    return false;
  }
}

/** About how many values a line of JSON has: commas and opening brackets outside of strings. */
function valuesIn(text: string, at: number, end: number): number {
  let count = 0;
  let isString = false;
  for (let index = at; index < end; index += 1) {
    const character = text.charCodeAt(index);
    if (isString && character === backslash) index += 1;
    else if (character === quote) isString = !isString;
    else if (!isString && (character === comma || character === bracket || character === brace)) count += 1;
  }
  return count;
}

const [quote, comma, bracket, brace, backslash] = [0x22, 0x2c, 0x5b, 0x7b, 0x5c];
