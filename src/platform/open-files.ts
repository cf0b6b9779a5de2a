import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { namesInProc } from './proc.ts';

/** Whether a process that can be looked at has a file open, by its name. */
export function isOpenSomewhere(path: string): boolean {
  const name = realpathSync(path);
  return namesInProc().some((pid) => /^\d+$/.test(pid) && holds(`/proc/${pid}/fd`, name));
}

function holds(folder: string, name: string): boolean {
  try {
    return readdirSync(folder).some((descriptor) => targetOf(join(folder, descriptor)) === name);
  } catch {
    // Another user's, or gone meanwhile.
    return false;
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}
