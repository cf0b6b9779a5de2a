import { readFileSync, readlinkSync } from 'node:fs';

/** The bytes of a file as latin1; nothing when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Where a symbolic link points to; nothing when there is none. */
export function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
