import { closeSync } from 'node:fs';

/** Closes a descriptor. What that says is about a disk that nobody asked: what was read or written, was. */
export function letGo(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The descriptor is free all the same.
  }
}
