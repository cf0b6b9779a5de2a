import { join } from 'node:path';
import { OutliveError } from '../errors/error.ts';
import { defaults } from '../model/limits.ts';
import { namesIn } from '../tasklog/names-in.ts';
import { sessionPathsIn, sessionsFolder } from '../tasklog/paths.ts';
import { SessionContext, type SessionLimits, type StoreContext } from './context.ts';
import { readSessionId } from './session-record.ts';

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
