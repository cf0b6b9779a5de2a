import { readFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';
import { readFailed } from '../errors/read-failed.ts';
import type { SessionPaths } from '../tasklog/paths.ts';
import { parseSessionRecord } from '../tasklog/records.ts';
import { systemCode } from '../util/system-error.ts';

/** The id of the session whose folder this is; null when its record is not there, or cannot be read. */
export function readSessionId(paths: SessionPaths): string | null {
  try {
    return parseSessionRecord(readFileSync(paths.record, 'utf8'))?.sessionId ?? null;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code !== 'EACCES' && code !== 'EISDIR' && code !== 'ELOOP') throw readFailed(paths.record, error);
    throw new OutliveError(
      'STORE_CORRUPT',
      `expected to read ${paths.record}; found ${String(error)}. Check the permissions of the store.`,
      { cause: error },
    );
  }
}
