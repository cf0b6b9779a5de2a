import { readdirSync } from 'node:fs';
import { systemCode } from './system-error.ts';

/** The names in a folder, in no order; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
