import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFailed, systemCode } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import { randomHex } from '../util/crypto.ts';
import { withSpare } from '../util/spare.ts';

/** Errors that a disk, or the network that connects it, reports late for earlier writes. */
const lateErrors = expected('full', 'failing', 'EINTR');

/** There is no file, or something else, or it is not for us: then it counts as absent. */
const noFolder: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES']);

/**
 * The names in a folder, in no order; none when there is no such folder for us.
 * @throws OutliveError `READ_FAILED`.
 */
export function namesIn(folder: string): string[] {
  try {
    return withSpare(() => readdirSync(folder));
  } catch (error) {
    if (noFolder.has(systemCode(error) ?? '')) return [];
    throw readFailed(folder, error);
  }
}

/** Closes a descriptor. What that says is about a disk that nobody asked: what was read or written, was. */
export function letGo(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch (error) {
    // The descriptor is free anyway.
    tolerate(error, lateErrors, 'closing a file');
  }
}

/** A temporary file of a process that is stopped for long is swept like one of a process that has died. */
const attempts = 3;
/** How what others may have put there is opened: never through a symbolic link, and never held up by a pipe. */
export const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Reads a small file that others may have put there. Null when it is none (a pipe, a device, a folder), or larger.
 * @throws a system error, such as `ENOENT`, or `ELOOP` of a symbolic link.
 */
export function readSmall(path: string, mostBytes: number): Buffer | null {
  return withSpare(() => {
    const descriptor = openSync(path, constants.O_RDONLY | careful);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() || stat.size > mostBytes) return null;
      const buffer = Buffer.alloc(stat.size);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, stat.size, 0));
    } finally {
      letGo(descriptor);
    }
  });
}

/**
 * Writes a small file so that it is there whole or not at all; of several writers the last one counts. `mode` is for its
 * owner alone: 0600, or 0700 of a program.
 */
export function writeWhole(path: string, content: string | Uint8Array, mode: 0o600 | 0o700 = 0o600): void {
  for (let left = attempts - 1; ; left -= 1) {
    try {
      writeOnce(path, content, mode);
      return;
    } catch (error) {
      if (left === 0 || systemCode(error) !== 'ENOENT') throw error;
    }
  }
}

function writeOnce(path: string, content: string | Uint8Array, mode: 0o600 | 0o700): void {
  const temporary = `${path}.${randomHex(6)}.tmp`;
  try {
    writeSynced(temporary, content, mode);
    renameWhole(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** On the disk before it gets its name: after a power failure the name would else be that of an empty file. */
function writeSynced(path: string, content: string | Uint8Array, mode: number): void {
  const descriptor = openSync(path, 'wx', mode);
  try {
    // The umask may have taken the right to execute it.
    if (mode !== 0o600) fchmodSync(descriptor, mode);
    writeFileSync(descriptor, content);
    fdatasyncSync(descriptor);
  } finally {
    letGo(descriptor);
  }
}

/** What Windows says while somebody (a reader, a virus scanner) has one of the files open. It passes. */
const passing = new Set(['EPERM', 'EBUSY', 'EACCES']);

/** Pauses between attempts, in milliseconds: a quarter of a second together. */
const pausesMs = [1, 2, 4, 8, 16, 32, 64, 128];

const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Gives a file another name, in place of one that is there. On Windows it is tried again for a moment while one of
 * them is open.
 * @throws a system error.
 */
export function renameWhole(from: string, to: string): void {
  for (const pause of process.platform === 'win32' ? pausesMs : []) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      if (!passing.has(systemCode(error) ?? '')) throw error;
    }
    Atomics.wait(cell, 0, 0, pause);
  }
  renameSync(from, to);
}

/**
 * Removes a file of a task; nothing is said when it is gone. A task may have put a folder in its place: that goes with
 * all that is in it, and what links in there lead to stays.
 */
export function removeEntry(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return;
    // Linux says EISDIR of a folder, other systems say that it is not permitted.
    if (code !== 'EISDIR' && !lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
    rmSync(path, { recursive: true, force: true });
  }
}
