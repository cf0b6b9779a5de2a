import { closeSync, openSync, readSync } from 'node:fs';

/** Read into again and again: files of /proc have no size, and Node takes 64 KiB anew for each. */
let buffer = Buffer.allocUnsafe(32 * 1024);

/** The content of a file of /proc; null when it cannot be read: gone meanwhile, or another user's. */
export function readProcFile(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  return read(path, encoding, false);
}

/**
 * The same for what the kernel gives whole in one read, if there is room: `stat`, `schedstat`, `environ`, `cmdline`. Hundreds
 * of them are read in a row, and asking each whether that was all costs a fifth.
 */
export function readProcRecord(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  return read(path, encoding, true);
}

function read(path: string, encoding: 'utf8' | 'latin1', isRecord: boolean): string | null {
  try {
    const descriptor = openSync(path, 'r');
    try {
      // First the reading, which may need a larger buffer.
      const length = readAll(descriptor, isRecord);
      return buffer.toString(encoding, 0, length);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

function readAll(descriptor: number, isRecord: boolean): number {
  for (let length = 0; ; ) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += count;
    if (count === 0 || (isRecord && length < buffer.length)) return length;
    if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
  }
}
