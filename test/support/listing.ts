import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One thing below a folder. */
export interface Entry {
  /** From the folder. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Permission bits, as in `ls`: '700'. */
  readonly mode: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** Everything below a folder, sorted, in a form in which any change shows. */
export function listing(dir: string): Entry[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const stat = lstatSync(join(dir, path));
      return {
        path,
        isFolder: stat.isDirectory(),
        mode: (stat.mode & 0o7777).toString(8),
        size: stat.size,
        modifiedMs: stat.mtimeMs,
      };
    });
}
