import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { processes } from './world.ts';

/** The cookies of processes whose output goes below a folder. */
export function cookiesBelow(dir: string): string[] {
  return pidsBelow(dir).flatMap((pid) => {
    try {
      return /(?:^|\0)OUTLIVE_TASK=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

/** Processes whose output goes below a folder. */
export function pidsBelow(dir: string): number[] {
  return processes().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/1`).startsWith(`${dir}/`);
    } catch {
      return false;
    }
  });
}

/** All files below a folder, pipes included. */
export function filesBelow(dir: string): string[] {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => join(dir, path));
  return paths.filter((path) => !statSync(path).isDirectory());
}
