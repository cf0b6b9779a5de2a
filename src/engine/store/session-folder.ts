import { lstatSync } from 'node:fs';
import { systemCode } from '../../errors/error.ts';
import { writeWhole } from '../../tasklog/files.ts';
import type { SessionPaths } from '../../tasklog/paths.ts';
import { encodeSessionRecord } from '../../tasklog/records.ts';
import { makeFolders } from './store-folder.ts';
import { readSessionId } from './store-sessions.ts';
import { sweepStrays } from './sweep-strays.ts';

/** Another process may remove a session as empty while this one creates it, but hardly this often. */
const attempts = 8;

/**
 * Makes a session's folders and its record, where they are missing. Many processes may do so at once.
 * @throws a system error.
 */
export function makeSessionFolders(paths: SessionPaths, sessionId: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      makeMissing(paths, sessionId);
      return;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || attempt === attempts) throw error;
    }
  }
}

/** The record first: a task is to have a session from the beginning. */
function makeMissing(paths: SessionPaths, sessionId: string): void {
  makeFolders(paths.dir);
  sweepStrays(paths.dir);
  if (readSessionId(paths) === null) writeRecord(paths, sessionId);
  makeFolders(paths.tasks);
  makeFolders(paths.output);
}

/** Whatever is in its place is replaced, but for a folder: then tasks say whose they are. */
function writeRecord({ record }: SessionPaths, sessionId: string): void {
  try {
    writeWhole(record, encodeSessionRecord(sessionId, Date.now()));
  } catch (error) {
    if (!lstatSync(record, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
