import { constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { readFailed, systemCode } from '../errors/error.ts';
import type { CutFact } from '../model/facts.ts';
import type { Facts } from '../model/fold.ts';
import { characterEnd, characterStart } from '../util/bytes.ts';
import { withSpare } from '../util/spare.ts';
import { letGo } from './files.ts';
import { outputPath, type SessionPaths } from './paths.ts';

/** A stretch of output. Offsets count the bytes that the command wrote, also where some were cut out since. */
export interface OutputSlice {
  readonly bytes: Buffer;
  /** Where `bytes` begin. */
  readonly offset: number;
  /** Where to read on. */
  readonly nextOffset: number;
  /** Bytes written so far. */
  readonly size: number;
  /** Bytes between the offset that was asked for and `offset` that are not there any more, or were not asked for. */
  readonly omittedBytes: number;
}

/** One stream of one task: its file, and the cut in it if its middle was removed. */
export interface OutputFile {
  readonly path: string;
  readonly cut: CutFact | undefined;
}

/** One of a task's output streams. Without `separate`, stdout holds both. */
export type Stream = 'stdout' | 'stderr';

/** The file of a stream, with what was cut out of it. */
export function outputFile(paths: SessionPaths, taskId: string, stream: Stream, facts: Facts): OutputFile {
  return {
    path: outputPath(paths, taskId, stream),
    cut: facts.cuts.findLast((cut) => cut.stream === stream),
  };
}

/** Reads up to `maxBytes` from `offset`. A read in a stretch that was cut out goes on behind it and says so. */
export function readOutput(file: OutputFile, offset: number, maxBytes: number): OutputSlice {
  return withFile(file, emptyAt(offset), (open) => slice(open, offset, maxBytes));
}

/**
 * Reads the last `maxBytes`, from the start of a character on. Costs the same on a file of any size. Where the middle
 * was cut out it is at most what is kept behind the cut: a stretch has no gap in it.
 */
export function tailOutput(file: OutputFile, maxBytes: number): OutputSlice {
  return withFile(file, emptyAt(0), (open) => {
    const start = Math.max(open.cut?.tail ?? 0, open.size - maxBytes);
    const found = slice(open, start, maxBytes);
    const skip = found.offset === 0 ? 0 : characterStart(found.bytes, 0);
    const offset = found.offset + skip;
    return { ...found, bytes: found.bytes.subarray(skip), offset, omittedBytes: offset };
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
  } catch {
    return nothingWritten;
  }
}

const nothingWritten = { size: 0, writtenAt: 0 };

/**
 * The part of a slice that ends with a whole character, so that text views never show half of one. The
 * rest comes with the next read. Without anything to wait for (`final`) it is the slice itself.
 */
export function wholeCharacters(found: OutputSlice, final: boolean): OutputSlice {
  const end = final ? found.bytes.length : characterEnd(found.bytes, found.bytes.length);
  return { ...found, bytes: found.bytes.subarray(0, end), nextOffset: found.offset + end };
}

interface OpenOutput {
  readonly descriptor: number;
  readonly size: number;
  readonly cut: CutFact | undefined;
}

function withFile(
  file: OutputFile,
  missing: OutputSlice,
  use: (open: OpenOutput) => OutputSlice,
): OutputSlice {
  return withSpare(() => useFile(file, missing, use));
}

function useFile(
  file: OutputFile,
  missing: OutputSlice,
  use: (open: OpenOutput) => OutputSlice,
): OutputSlice {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'EACCES'].includes(systemCode(error) ?? '')) return missing;
    throw readFailed(file.path, error);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return missing;
    const cut = isCut(stat.size, file.cut) ? file.cut : undefined;
    return use({ descriptor, size: logicalSize(stat.size, file.cut), cut });
  } catch (error) {
    throw readFailed(file.path, error);
  } finally {
    letGo(descriptor);
  }
}

function slice({ descriptor, size, cut }: OpenOutput, wanted: number, maxBytes: number): OutputSlice {
  const inGap = cut !== undefined && wanted >= cut.head && wanted < cut.tail;
  const offset = inGap ? cut.tail : Math.min(wanted, size);
  const end = cut !== undefined && offset < cut.head ? cut.head : size;
  const length = Math.max(0, Math.min(maxBytes, end - offset));
  const position =
    cut !== undefined && offset >= cut.tail ? offset - cut.tail + cut.head + cut.notice : offset;
  const buffer = Buffer.allocUnsafe(length);
  const count = length === 0 ? 0 : readSync(descriptor, buffer, 0, length, position);
  return {
    bytes: buffer.subarray(0, count),
    offset,
    nextOffset: offset + count,
    size,
    omittedBytes: inGap ? cut.tail - wanted : 0,
  };
}

function emptyAt(offset: number): OutputSlice {
  return { bytes: Buffer.alloc(0), offset, nextOffset: offset, size: 0, omittedBytes: 0 };
}

/** The fact is appended before the shorter file takes the place of the whole one: the size tells which is there. */
function isCut(fileSize: number, cut: CutFact | undefined): boolean {
  return cut !== undefined && fileSize === cut.head + cut.notice + cut.bytes - cut.tail;
}

function logicalSize(fileSize: number, cut: CutFact | undefined): number {
  return cut !== undefined && isCut(fileSize, cut) ? cut.bytes : fileSize;
}
