import { randomBytes } from 'node:crypto';
import { ftruncateSync, unlinkSync } from 'node:fs';
import { systemCode } from '../errors/error.ts';
import { letGo } from '../tasklog/files.ts';
import { createLog, createOutput } from '../tasklog/log.ts';
import { type TaskPaths, taskPaths } from '../tasklog/paths.ts';
import type { SessionContext, SpawnAttempt } from './context.ts';
import { makeSessionFolders } from './session-folder.ts';
import { unwritable } from './spawn-errors.ts';
import type { SpawnRequest } from './spawn-request.ts';

/** Ids are 32 random bits; so many in a row that are taken mean that something else is wrong. */
const idAttempts = 32;

/** The files of a new task, open. */
export interface TaskFiles {
  readonly taskId: string;
  readonly paths: TaskPaths;
  readonly log: number;
  /** Null on Windows: there the shim opens the output files, and nobody else may have them open for writing. */
  readonly stdout: number | null;
  readonly stderr: number | null;
}

/**
 * Creates the files of a new task, which gives it an id that no other has.
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
    const taskId = `bgb-${randomBytes(4).toString('hex')}`;
    attempt.taskId = taskId;
    try {
      return await createFiles(taskPaths(context.paths, taskId), taskId, request.separate);
    } catch (error) {
      lastError = error;
      // Somebody removed the session's folders: a session that is open may go on all the same.
      if (systemCode(error) === 'ENOENT') remakeFolders(context);
      else if (systemCode(error) !== 'EEXIST') break;
    }
  }
  throw unwritable(context, lastError);
}

function remakeFolders(context: SessionContext): void {
  try {
    makeSessionFolders(context.paths, context.sessionId);
    context.isRecorded = true;
  } catch (error) {
    throw unwritable(context, error);
  }
}

/** Makes the files side by side, and all of them or none. */
async function createFiles(paths: TaskPaths, taskId: string, separate: boolean): Promise<TaskFiles> {
  const made = await Promise.allSettled([
    createLog(paths.log),
    createOutput(paths.stdout),
    separate ? createOutput(paths.stderr) : null,
  ]);
  const [log, stdout, stderr] = made.map((result) => (result.status === 'fulfilled' ? result.value : null));
  const failure = made.find((result) => result.status === 'rejected');
  if (typeof log === 'number' && typeof stdout === 'number' && failure === undefined) {
    if (process.platform !== 'win32') return { taskId, paths, log, stdout, stderr: stderr ?? null };
    for (const descriptor of [stdout, stderr]) if (typeof descriptor === 'number') letGo(descriptor);
    return { taskId, paths, log, stdout: null, stderr: null };
  }
  for (const descriptor of [log, stdout, stderr]) if (typeof descriptor === 'number') letGo(descriptor);
  // What could not be made because it was there already is another task's.
  if (typeof stdout === 'number') remove(paths.stdout);
  if (typeof stderr === 'number') remove(paths.stderr);
  if (typeof log === 'number') remove(paths.log);
  throw failure?.reason;
}

/**
 * The id was given to nobody, so nobody misses the record. The log goes last.
 * @param log the descriptor of the log.
 */
export function discard(paths: TaskPaths, log: number): void {
  for (const path of [paths.stdout, paths.stderr, paths.command]) remove(path);
  if (remove(paths.log)) return;
  try {
    // A spec whose spawner lives would take a place among those that run, until it has not been heard of for long.
    ftruncateSync(log);
  } catch {
    // Then it does.
  }
}

/** False where it was not made, or is out of reach: an empty log is swept later. */
function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
