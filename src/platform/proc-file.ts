import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { readFailed } from '../errors/read-failed.ts';
import { systemCode } from '../util/system-error.ts';

/** Read into again and again: files of /proc have no size, and Node takes 64 KiB anew for each. */
let buffer = Buffer.allocUnsafe(32 * 1024);

/**
 * The content of a file of /proc; null when it cannot be read: gone meanwhile, or another user's. To be out of
 * descriptors or memory is no such answer: whoever took it for one would hold every process for dead.
 * @throws OutliveError `READ_FAILED`.
 */
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
  } catch (error) {
    if (passing.has(systemCode(error) ?? '')) throw readFailed(path, error);
    return null;
  }
}

/**
 * The names in /proc: processes, and some files.
 * @throws OutliveError `READ_FAILED`.
 */
export function namesInProc(): string[] {
  try {
    return readdirSync('/proc');
  } catch (error) {
    throw readFailed('/proc', error);
  }
}

/** What ails the one who looks, not what he looks for. */
const passing = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

function readAll(descriptor: number, isRecord: boolean): number {
  for (let length = 0; ; ) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += count;
    if (count === 0 || (isRecord && length < buffer.length)) return length;
    if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
  }
}
