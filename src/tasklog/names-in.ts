import { readdirSync } from 'node:fs';
import { readFailed } from '../errors/read-failed.ts';
import { systemCode } from '../util/system-error.ts';

/**
 * The names in a folder, in no order; none when there is no such folder.
 * @throws OutliveError `READ_FAILED`.
 */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw readFailed(folder, error);
  }
}
