import { fstatSync } from 'node:fs';
import { isSystemError } from '../errors/error.ts';

let isHeld = false;

/** Says that stdin is a connection to the asker on another machine, and brings a command nothing. */
export function holdStdin(): void {
  isHeld = true;
}

/** Whether stdin is a file or a pipe: a terminal is the caller's own, and what else there is brings nothing. */
export function hasStdin(): boolean {
  if (isHeld || process.platform === 'win32') return false;
  try {
    const stat = fstatSync(0);
    return stat.isFile() || stat.isFIFO() || stat.isSocket();
  } catch (error) {
    // It is closed.
    if (!isSystemError(error)) throw error;
    return false;
  }
}
