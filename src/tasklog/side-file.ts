import { constants, fstatSync, openSync, readSync } from 'node:fs';
import { expected, tolerate } from '../errors/expected.ts';
import { withSpare } from '../util/spare.ts';
import { letGo } from './files.ts';

const unreadable = expected('absent', 'refused', 'scarce', 'failing');

/**
 * What is in a file beside an output, up to a bound. A file that cannot be read is as good as none: nobody is to go without
 * the output for it.
 */
export function readSideFile(path: string, mostBytes: number): Buffer {
  try {
    return withSpare(() => {
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const stat = fstatSync(descriptor);
        const size = stat.isFile() ? Math.min(stat.size, mostBytes) : 0;
        const bytes = Buffer.alloc(size);
        return bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0));
      } finally {
        letGo(descriptor);
      }
    });
  } catch (error) {
    // Not there, a link, or out of reach.
    tolerate(error, unreadable, 'reading a file beside an output');
    return Buffer.alloc(0);
  }
}
