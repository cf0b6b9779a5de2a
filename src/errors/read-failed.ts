import { OutliveError } from './error.ts';

/**
 * What the system would not let us read just now, though it may be there: no descriptors, no memory, an error of the
 * disk. Nothing follows from it about what is looked for; least of all that it is gone.
 */
export function readFailed(path: string, cause: unknown): OutliveError {
  return new OutliveError(
    'READ_FAILED',
    `expected to read ${path}; found ${cause instanceof Error ? cause.message : String(cause)}. Try again; look at the limits on open files and memory, and at the disk.`,
    { cause },
  );
}
