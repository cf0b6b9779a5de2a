import { basename, join } from 'node:path';
import { readFailed } from '../../errors/error.ts';
import { expected, isExpected } from '../../errors/expected.ts';
import { bounds, defaults } from '../../model/limits.ts';
import { doneLog, doneLogs, logPathOf } from '../../tasklog/done.ts';
import { namesIn, readSmall } from '../../tasklog/files.ts';
import {
  type SessionPaths,
  sessionPaths,
  sessionPathsIn,
  sessionsFolder,
  taskIdOfFile,
} from '../../tasklog/paths.ts';
import { readLog } from '../../tasklog/read-log.ts';
import { parseSessionRecord } from '../../tasklog/records.ts';
import { SessionContext, type SessionLimits, type StoreContext } from '../session/context.ts';

/** The folders of a store's sessions, with their ids. */
export function sessionFolders(storeDir: string): [dir: string, sessionId: string][] {
  const folder = sessionsFolder(storeDir);
  return namesIn(folder).flatMap((name): [string, string][] => {
    const dir = join(folder, name);
    const id = sessionIdIn(storeDir, dir);
    return id === null ? [] : [[dir, id]];
  });
}

/**
 * The id of the session whose folder this is; `null`: nothing says it yet. Where the record is damaged, or none was written,
 * tasks say whose they are.
 * @throws OutliveError `READ_FAILED`.
 */
export function sessionIdIn(storeDir: string, dir: string): string | null {
  const paths = sessionPathsIn(dir);
  return readSessionId(paths) ?? idInTasks(storeDir, paths);
}

/** How many tasks it asks for their session. */
const askedTasks = 16;

/** The id of a session without a record, if one of its tasks has an id that goes with the name of the folder. */
function idInTasks(storeDir: string, paths: SessionPaths): string | null {
  let asked = 0;
  for (const path of logsIn(paths)) {
    const id = readLog(path)?.facts.spec?.sessionId;
    if (id !== undefined && basename(sessionPaths(storeDir, id).dir) === basename(paths.dir)) return id;
    asked += 1;
    if (asked === askedTasks) break;
  }
  return null;
}

function* logsIn(paths: SessionPaths): Generator<string, void, undefined> {
  for (const name of namesIn(paths.tasks)) if (taskIdOfFile(name) !== null) yield join(paths.tasks, name);
  for (const done of doneLogs(paths)) yield doneLog(paths, done);
}

/** Limits of a session that nobody has said anything about. */
export const defaultLimits: SessionLimits = {
  maxRunning: defaults.maxRunning,
  retentionMs: defaults.retentionMs,
  staleAfterMs: null,
  previewBytes: defaults.previewBytes,
};

/**
 * A context for each session of a store, to look at them; nothing is open in them. They are made anew each time they are
 * gone through: of 10,000 sessions they would take 70 MB together.
 */
export function sessionContexts(store: StoreContext): Iterable<SessionContext> {
  const folders = sessionFolders(store.dir);
  return {
    *[Symbol.iterator]() {
      for (const [dir, id] of folders)
        yield new SessionContext(store, id, sessionPathsIn(dir), defaultLimits);
    },
  };
}

/** A context for one session, which need not be there. Nothing is read for it, and nothing is open in it. */
export function sessionContext(store: StoreContext, sessionId: string): SessionContext {
  return new SessionContext(store, sessionId, sessionPaths(store.dir, sessionId), defaultLimits);
}

/**
 * A context for the session that has a task with such an id; null if there is none. It reads records of no other
 * session.
 */
export function contextWith(store: StoreContext, taskId: string): SessionContext | null {
  for (const name of namesIn(sessionsFolder(store.dir))) {
    const paths = sessionPathsIn(join(sessionsFolder(store.dir), name));
    const sessionId = logPathOf(paths, taskId) === null ? null : sessionIdIn(store.dir, paths.dir);
    if (sessionId !== null) return new SessionContext(store, sessionId, paths, defaultLimits);
  }
  return null;
}

/**
 * The id of the session whose folder this is, by its record; null when that is not there, or damaged.
 * @throws OutliveError `READ_FAILED`.
 */
export function readSessionId(paths: SessionPaths): string | null {
  try {
    const content = readSmall(paths.record, bounds.recordBytes);
    return parseSessionRecord(content?.toString('utf8') ?? '')?.sessionId ?? null;
  } catch (error) {
    if (isExpected(error, damaged)) return null;
    throw readFailed(paths.record, error);
  }
}

const damaged = expected('absent', 'refused');
