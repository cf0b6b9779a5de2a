import type { OutputMark } from '../model/marks.ts';
import { readSideFile } from './side-file.ts';

/** What a file of marks begins with: a name and a version. native/src/marks.c writes it. */
const header = Buffer.from('outlive marks\0\0\x01', 'latin1');

/** An offset and a time, both little-endian. */
const recordBytes = 16;

/** A shim writes no more of them. */
const mostRecords = 4_096;

/**
 * The marks that are in a file, in their order. What has another form, or is out of order, says nothing: so does the
 * rest of a file of which every second mark was just being removed.
 */
export function parseMarks(bytes: Buffer): OutputMark[] {
  const marks: OutputMark[] = [];
  if (!bytes.subarray(0, header.length).equals(header)) return marks;
  let last: OutputMark = { offset: 0, at: 0 };
  for (let at = header.length; at + recordBytes <= bytes.length; at += recordBytes) {
    const mark = { offset: Number(bytes.readBigUInt64LE(at)), at: Number(bytes.readBigUInt64LE(at + 8)) };
    if (!Number.isSafeInteger(mark.offset) || !Number.isSafeInteger(mark.at)) continue;
    if (mark.offset <= last.offset || mark.at < last.at) continue;
    marks.push(mark);
    last = mark;
  }
  return marks;
}

/**
 * Reads the marks of an output, and adds its end. Without a file of marks, or with one that cannot be read, its end is all
 * that is known: marks only say when, and nobody is to go without the output for them.
 * @param end the size of the output, and when it was written last.
 */
export function readMarks(path: string, end: OutputMark): OutputMark[] {
  if (end.offset === 0) return [];
  const marks = parseMarks(readSideFile(path, header.length + mostRecords * recordBytes)).filter(
    ({ offset }) => offset < end.offset,
  );
  // A task may set the time of its file.
  return [...marks, { offset: end.offset, at: Math.max(end.at, marks.at(-1)?.at ?? 0) }];
}
