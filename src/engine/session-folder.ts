import { fdatasyncSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';
import { readFailed } from '../errors/read-failed.ts';
import { letGo } from '../tasklog/let-go.ts';
import type { SessionPaths } from '../tasklog/paths.ts';
import { encodeSessionRecord, parseSessionRecord } from '../tasklog/records.ts';
import { crypto } from '../util/crypto.ts';
import { renameWhole } from '../util/rename.ts';
import { systemCode } from '../util/system-error.ts';
import { sweepStrays } from './sweep-strays.ts';

/** Makes a session's folders and its record, where they are missing. Many processes may do so at once. */
export function makeSessionFolders(paths: SessionPaths, sessionId: string): void {
  mkdirSync(paths.tasks, { recursive: true, mode: 0o700 });
  mkdirSync(paths.output, { recursive: true, mode: 0o700 });
  sweepStrays(paths.dir);
  if (readSessionId(paths) !== null) return;
  writeWhole(paths.record, encodeSessionRecord(sessionId, Date.now()));
}

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

/** Writes a small file so that it is there whole or not at all; of several writers the last one counts. */
export function writeWhole(path: string, content: string): void {
  const temporary = `${path}.${crypto().randomBytes(6).toString('hex')}.tmp`;
  try {
    writeSynced(temporary, content);
    renameWhole(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** On the disk before it gets its name: after a power failure the name would else be that of an empty file. */
function writeSynced(path: string, content: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    fdatasyncSync(descriptor);
  } finally {
    letGo(descriptor);
  }
}
