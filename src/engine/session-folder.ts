import { mkdirSync } from 'node:fs';
import { writeWhole } from '../tasklog/files.ts';
import type { SessionPaths } from '../tasklog/paths.ts';
import { encodeSessionRecord } from '../tasklog/records.ts';
import { readSessionId } from './store-sessions.ts';
import { sweepStrays } from './sweep-strays.ts';

/** Makes a session's folders and its record, where they are missing. Many processes may do so at once. */
export function makeSessionFolders(paths: SessionPaths, sessionId: string): void {
  mkdirSync(paths.tasks, { recursive: true, mode: 0o700 });
  mkdirSync(paths.output, { recursive: true, mode: 0o700 });
  sweepStrays(paths.dir);
  if (readSessionId(paths) !== null) return;
  writeWhole(paths.record, encodeSessionRecord(sessionId, Date.now()));
}
