import { constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { readFailed, systemCode } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import type { Facts } from '../model/fold.ts';
import type { CutFact } from '../model/output-facts.ts';
import { characterEnd, characterStart } from '../util/bytes.ts';
import { withSpare } from '../util/spare.ts';
import { letGo } from './files.ts';
import { outputPath, type SessionPaths } from './paths.ts';
import type { OutputView, SeenOutput } from './seen-output.ts';

/** A stretch of output. Offsets count the bytes that the command wrote, also where some were cut out since. */
export interface OutputSlice {
  readonly bytes: Buffer;
  /** Where `bytes` begin. */
  readonly offset: number;
  /** Where to read on. */
  readonly nextOffset: number;
  /** Bytes written so far. */
  readonly size: number;
  /** Bytes between the offset that was asked for and `offset` that were cut out since, or were not asked for. */
  readonly omittedBytes: number;
  /** The offset of the first byte in the file: not 0, where somebody made it shorter. See {@link SeenOutput}. */
  readonly beginsAt: number;
}

/** One stream of one task: its file, and the cut in it if its middle was removed. */
export interface OutputFile {
  readonly path: string;
  readonly cut: CutFact | undefined;
  /** What was seen of it before, and the cut as the log has it now: a file may be shorter because it was just cut. */
  readonly seen?: { readonly before: SeenOutput; readonly cutNow: () => CutFact | undefined };
}

/** One of a task's output streams. Without `separate`, stdout holds both. */
export type Stream = 'stdout' | 'stderr';

/** The file of a stream, with what was cut out of it. What is erased of it goes unnoticed. */
export function outputFile(paths: SessionPaths, taskId: string, stream: Stream, facts: Facts): OutputFile {
  return { path: outputPath(paths, taskId, stream), cut: cutOf(facts, stream) };
}

/** What was cut out of a stream. */
export function cutOf(facts: Facts, stream: Stream): CutFact | undefined {
  return facts.cuts.findLast((cut) => cut.stream === stream);
}

/** Reads up to `maxBytes` from `offset`. A read in a stretch that is gone continues after it and says so. */
export function readOutput(file: OutputFile, offset: number, maxBytes: number): OutputSlice {
  return withFile(file, (open) => slice(open, offset, maxBytes));
}

/** How long the output is, and where its file begins. Nothing else is read of it. */
export function lookAtOutput(file: OutputFile): Pick<OutputSlice, 'size' | 'beginsAt'> {
  return withFile(file, ({ size, beginsAt }) => ({ size: beginsAt + size, beginsAt }));
}

/**
 * Reads the last `maxBytes`, from the start of a character on. Costs the same on a file of any size. Where the middle
 * was cut out it is at most what is kept after the cut: a stretch has no gap in it.
 */
export function tailOutput(file: OutputFile, maxBytes: number): OutputSlice {
  return withFile(file, (open) => {
    const { beginsAt } = open;
    const start = Math.max(open.cut?.tail ?? 0, open.size - maxBytes);
    const found = slice(open, beginsAt + start, maxBytes);
    const skip = start === 0 ? 0 : characterStart(found.bytes, 0);
    const offset = found.offset + skip;
    return { ...found, bytes: found.bytes.subarray(skip), offset, omittedBytes: offset - beginsAt };
  });
}

/** Bytes that the command has written to a stream so far; 0 when the file is not there. */
export function outputSize(file: OutputFile): number {
  return outputState(file).size;
}

/** The same, and when it was written last, in epoch milliseconds; 0 when the file is not there. Nothing is read. */
export function outputState(file: OutputFile): { readonly size: number; readonly writtenAt: number } {
  try {
    // Asked of every running task again and again: a file that is not there must not cost an exception.
    const stat = lstatSync(file.path, { throwIfNoEntry: false });
    if (stat === undefined) return nothingWritten;
    // What a task puts in the place of its output, a link say, is none of it.
    return { size: stat.isFile() ? logicalSize(stat.size, file.cut) : 0, writtenAt: stat.mtimeMs };
  } catch (error) {
    tolerate(error, unseen, 'checking output');
    return nothingWritten;
  }
}

const unseen = expected('absent', 'refused', 'scarce', 'failing');

const nothingWritten = { size: 0, writtenAt: 0 };

/**
 * The part of a slice that ends with a whole character, so that text views never show half of one. The
 * rest comes with the next read. Without anything to wait for (`final`) it is the slice itself.
 */
export function wholeCharacters(found: OutputSlice, final: boolean): OutputSlice {
  const end = final ? found.bytes.length : characterEnd(found.bytes, found.bytes.length);
  return { ...found, bytes: found.bytes.subarray(0, end), nextOffset: found.offset + end };
}

/** A file that is open. Its size counts what was cut out of it, and not what was in it before it began anew. */
interface OpenOutput {
  readonly descriptor: number;
  readonly size: number;
  readonly cut: CutFact | undefined;
  readonly beginsAt: number;
}

function withFile<T>(file: OutputFile, use: (open: OpenOutput) => T): T {
  try {
    return withSpare(() => useFile(file, use));
  } catch (error) {
    const code = systemCode(error) ?? '';
    // A process without the permission to look does not know whether it exists.
    if (code === 'EACCES') return use({ ...nothing, beginsAt: file.seen?.before.beginsAt ?? 0 });
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(code)) return use(seenNow(file, nothing));
    throw readFailed(file.path, error);
  }
}

/** What is no file, or is not there yet. */
const nothing = { descriptor: -1, size: 0, cut: undefined };

function useFile<T>(file: OutputFile, use: (open: OpenOutput) => T): T {
  const descriptor = openSync(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return use(seenNow(file, nothing));
    const whole = openWith(descriptor, stat.size, file.cut);
    // Our own cut is no erasure: the fact of it is there before the file is shorter.
    const isSuspect = file.seen?.before.isShorter(viewOf(whole)) === true;
    const cut = isSuspect ? file.seen?.cutNow() : file.cut;
    return use(seenNow(file, openWith(descriptor, stat.size, cut)));
  } finally {
    letGo(descriptor);
  }
}

function openWith(descriptor: number, bytes: number, cut: CutFact | undefined): Omit<OpenOutput, 'beginsAt'> {
  return { descriptor, size: logicalSize(bytes, cut), cut: isCut(bytes, cut) ? cut : undefined };
}

/** Takes note of what is there now. */
function seenNow(file: OutputFile, open: Omit<OpenOutput, 'beginsAt'>): OpenOutput {
  file.seen?.before.look(viewOf(open));
  return { ...open, beginsAt: file.seen?.before.beginsAt ?? 0 };
}

function viewOf(open: Omit<OpenOutput, 'beginsAt'>): OutputView {
  return {
    size: open.size,
    bytesAt(position, length) {
      const found = slice({ ...open, beginsAt: 0 }, position, length);
      return found.offset === position ? found.bytes : null;
    },
  };
}

function slice(open: OpenOutput, wanted: number, maxBytes: number): OutputSlice {
  const { descriptor, size, cut, beginsAt } = open;
  const from = Math.max(0, wanted - beginsAt);
  const inGap = cut !== undefined && from >= cut.head && from < cut.tail;
  const offset = inGap ? cut.tail : Math.min(from, size);
  const end = cut !== undefined && offset < cut.head ? cut.head : size;
  const length = Math.max(0, Math.min(maxBytes, end - offset));
  const position =
    cut !== undefined && offset >= cut.tail ? offset - cut.tail + cut.head + cut.notice : offset;
  const buffer = Buffer.allocUnsafe(length);
  const count = length === 0 ? 0 : readSync(descriptor, buffer, 0, length, position);
  return {
    bytes: buffer.subarray(0, count),
    offset: beginsAt + offset,
    nextOffset: beginsAt + offset + count,
    size: beginsAt + size,
    omittedBytes: inGap ? cut.tail - from : 0,
    beginsAt,
  };
}

/** The fact is appended before the shorter file takes the place of the whole one: the size tells which is there. */
function isCut(fileSize: number, cut: CutFact | undefined): boolean {
  return cut !== undefined && fileSize === cut.head + cut.notice + cut.bytes - cut.tail;
}

function logicalSize(fileSize: number, cut: CutFact | undefined): number {
  return cut !== undefined && isCut(fileSize, cut) ? cut.bytes : fileSize;
}
