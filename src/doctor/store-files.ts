import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { passing } from '../engine/session/background.ts';
import { tolerate } from '../errors/expected.ts';
import { defaults } from '../model/limits.ts';
import { yieldToOthers } from '../util/wait.ts';
import { counted, type Finding, fine, warning } from './finding.ts';

/** Files between two turns of the event loop. */
const batch = 512;

/** How much room the store takes: what its files hold, which is more than the disk needs for files with holes. */
export async function checkSize(dir: string): Promise<Finding> {
  let bytes = 0;
  let files = 0;
  for (const folders = [dir]; ; ) {
    const folder = folders.pop();
    if (folder === undefined) break;
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += sizeOf(path);
      files += 1;
      if (files % batch === 0) await yieldToOthers();
    }
  }
  const message = `the store takes ${mebibytes(bytes)} MiB in ${counted(files, 'file', 'files')}`;
  if (bytes <= defaults.maxStoreBytes) return fine('size', message);
  return warning(
    'size',
    `${message}, more than the ${mebibytes(defaults.maxStoreBytes)} MiB above which outlive removes old tasks`,
    'See what is kept and why: outlive prune --all-sessions --dry-run',
  );
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    tolerate(error, passing, 'looking how large a store is');
    return [];
  }
}

function sizeOf(path: string): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch (error) {
    tolerate(error, passing, 'looking how large a store is');
    return 0;
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(bytes < 1024 ** 2 ? 1 : 0);
}
