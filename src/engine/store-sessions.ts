import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutliveError, readFailed, systemCode } from '../errors/error.ts';
import { defaults } from '../model/limits.ts';
import { namesIn } from '../tasklog/files.ts';
import { type SessionPaths, sessionPathsIn, sessionsFolder } from '../tasklog/paths.ts';
import { parseSessionRecord } from '../tasklog/records.ts';
import { SessionContext, type SessionLimits, type StoreContext } from './context.ts';

/** The folders of a store's sessions, with their ids. */
export function sessionFolders(storeDir: string): [dir: string, sessionId: string][] {
  const folder = sessionsFolder(storeDir);
  return namesIn(folder).flatMap((name): [string, string][] => {
    const dir = join(folder, name);
    const id = idIn(dir);
    return id === null ? [] : [[dir, id]];
  });
}

/** One whose record is damaged hides no other. */
function idIn(dir: string): string | null {
  try {
    return readSessionId(sessionPathsIn(dir));
  } catch (error) {
    if (error instanceof OutliveError && error.code === 'STORE_CORRUPT') return null;
    throw error;
  }
}

/** Limits of a session that nobody has said anything about. */
export const defaultLimits: SessionLimits = {
  maxRunning: defaults.maxRunning,
  retentionMs: defaults.retentionMs,
  staleAfterMs: null,
  previewBytes: defaults.previewBytes,
};

/** A context for each session of a store, to look at them; nothing is open in them. */
export function sessionContexts(store: StoreContext): SessionContext[] {
  return sessionFolders(store.dir).map(
    ([dir, id]) => new SessionContext(store, id, sessionPathsIn(dir), defaultLimits),
  );
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
