import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import { namesInProc, unseen } from './proc.ts';

/** Whether a process that can be looked at has a file open, by its name. */
export function isOpenSomewhere(path: string): boolean {
  const name = realpathSync(path);
  return namesInProc().some((pid) => /^\d+$/.test(pid) && holds(`/proc/${pid}/fd`, name));
}

function holds(folder: string, name: string): boolean {
  try {
    return readdirSync(folder).some((descriptor) => targetOf(join(folder, descriptor)) === name);
  } catch (error) {
    // Another user's, or gone meanwhile.
    tolerate(error, unseen, 'checking the open files of a process');
    return false;
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch (error) {
    tolerate(error, unseen, 'checking an open file of a process');
    return null;
  }
}
