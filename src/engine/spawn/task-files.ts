import { ftruncateSync, lstatSync, unlinkSync, writeFileSync } from 'node:fs';
import { systemCode } from '../../errors/error.ts';
import { tolerate } from '../../errors/expected.ts';
import { dayWith } from '../../tasklog/done.ts';
import { letGo } from '../../tasklog/files.ts';
import { createLog, createOutput } from '../../tasklog/log.ts';
import { type TaskPaths, taskPaths } from '../../tasklog/paths.ts';
import { crypto } from '../../util/crypto.ts';
import { passing } from '../session/background.ts';
import type { SessionContext, SpawnAttempt } from '../session/context.ts';
import { makeSessionFolders } from '../store/session-folder.ts';
import { unwritable } from '../store/unwritable.ts';
import type { SpawnRequest } from './spawn-request.ts';

/** Ids are 48 random bits: if this many in a row are taken, something else is wrong. */
const idAttempts = 32;

/** The files of a new task. */
export interface TaskFiles {
  readonly taskId: string;
  readonly paths: TaskPaths;
  /** The log, open. */
  readonly log: number;
}

/**
 * Creates the log of a new task, which gives it an id that no other has. The shim makes the output files.
 * @throws OutliveError `STORE_UNWRITABLE`, `SPAWN_FAILED`.
 */
export async function allocate(
  context: SessionContext,
  request: SpawnRequest,
  attempt: SpawnAttempt,
): Promise<TaskFiles> {
  let lastError: unknown;
  // Opened while it could not be written: who lists sessions would not find it.
  if (!context.isRecorded) remakeFolders(context);
  for (let count = 0; count < idAttempts; count += 1) {
    const taskId = `bgb-${crypto().randomBytes(6).toString('hex')}`;
    attempt.taskId = taskId;
    try {
      const paths = taskPaths(context.paths, taskId);
      const log = await createLog(paths.log);
      if (isTaken(context, taskId, paths, log)) continue;
      if (process.platform === 'win32') await createOutputs(paths, log, request.separate);
      return { taskId, paths, log };
    } catch (error) {
      lastError = error;
      // It is the first task of the session, or somebody has removed the folders: an open session continues.
      if (systemCode(error) === 'ENOENT') remakeFolders(context);
      else if (systemCode(error) !== 'EEXIST') break;
    }
  }
  throw unwritable(context, lastError);
}

/**
 * Whether a task has the id whose log was put away, or has left output: looked for once the new log is there. That one goes
 * again if so, and when it cannot be found out.
 */
function isTaken({ paths }: SessionContext, taskId: string, own: TaskPaths, log: number): boolean {
  let isFree = false;
  try {
    const hasOutput = lstatSync(own.stdout, { throwIfNoEntry: false }) !== undefined;
    isFree = !hasOutput && dayWith(paths, taskId) === null;
    return !isFree;
  } finally {
    if (!isFree) {
      letGo(log);
      remove(own.log);
    }
  }
}

/**
 * Keeps a command that does not fit an argument in a file.
 * @throws OutliveError `STORE_UNWRITABLE`; a system error.
 */
export function writeCommand(context: SessionContext, { command: path }: TaskPaths, command: string): void {
  for (let count = 1; ; count += 1) {
    try {
      writeFileSync(path, command, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      // The folder was removed with a session that had no tasks: see empty-session.ts.
      if (systemCode(error) !== 'ENOENT' || count === idAttempts) throw error;
      remakeFolders(context);
    }
  }
}

function remakeFolders(context: SessionContext): void {
  try {
    makeSessionFolders(context.paths, context.sessionId);
    context.isRecorded = true;
    context.onFolders?.();
  } catch (error) {
    throw unwritable(context, error);
  }
}

/** The wrapper of Windows opens the output files, and cannot make them so that nobody else reads them. */
async function createOutputs(paths: TaskPaths, log: number, separate: boolean): Promise<void> {
  const made: string[] = [];
  try {
    for (const path of separate ? [paths.stdout, paths.stderr] : [paths.stdout]) {
      letGo(await createOutput(path));
      made.push(path);
    }
  } catch (error) {
    letGo(log);
    // What could not be made because it was there already is another task's.
    for (const path of [...made, paths.log]) remove(path);
    throw error;
  }
}

/**
 * No caller has the id, so no caller misses the record. The log goes last.
 * @param log the descriptor of the log.
 */
export function discard(paths: TaskPaths, log: number): void {
  const { log: logPath, ...others } = paths;
  for (const path of Object.values(others)) remove(path);
  if (remove(logPath)) return;
  try {
    // A spec whose spawner lives would take a place among those that run, until it has not been heard of for long.
    ftruncateSync(log);
  } catch (error) {
    // Then it does.
    tolerate(error, passing, 'emptying the log of a task that was not started');
  }
}

/** False where it was not made, or is out of reach: an empty log is swept later. */
function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    tolerate(error, passing, 'removing a file of a task that was not started');
    return false;
  }
}
