import type { TerminalSize } from '../model/words.ts';
import { readSideFile } from './side-file.ts';

/** What a file of sizes begins with: a name and a version. native/src/terminal.c writes it. */
const header = Buffer.from('outlive sizes\0\0\x01', 'latin1');

/** An offset of 8 bytes, columns and rows of 2, and 4 that say nothing, all little-endian. */
const recordBytes = 16;

/** A shim keeps no more of them. */
const mostRecords = 4_096;

/** The terminal has a size from the byte at an offset of the output on. */
export interface SizeChange extends TerminalSize {
  readonly offset: number;
}

/** The sizes that are in a file, in their order. What has another form, or is out of order, says nothing. */
export function parseSizes(bytes: Buffer): SizeChange[] {
  const sizes: SizeChange[] = [];
  if (!bytes.subarray(0, header.length).equals(header)) return sizes;
  for (let at = header.length; at + recordBytes <= bytes.length; at += recordBytes) {
    const offset = Number(bytes.readBigUInt64LE(at));
    const [cols, rows] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
    if (!Number.isSafeInteger(offset) || offset < (sizes.at(-1)?.offset ?? 0) || cols === 0 || rows === 0)
      continue;
    sizes.push({ offset, cols, rows });
  }
  return sizes;
}

/** The sizes that a terminal was given after its start. */
export function readSizes(path: string): SizeChange[] {
  return parseSizes(readSideFile(path, header.length + mostRecords * recordBytes));
}
