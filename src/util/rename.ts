import { renameSync } from 'node:fs';
import { systemCode } from './system-error.ts';

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
