import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { removeEntry } from '../../tasklog/files.ts';
import { removedLog, taskIdOfOutput } from '../../tasklog/paths.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';

/**
 * A spawner creates the files of a task at the same time. For this long an output without a log may belong to a spawn
 * in progress.
 */
const orphanMs = 60_000;

/** A screen on its way to its file: what a process leaves that dies while it keeps one. */
const unfinished = /\.screen\.[0-9a-f]{12}\.tmp$/;

/**
 * Removes a file among the outputs if it belongs to no task: of a spawner that died, or whose disk failed, before the log
 * was made or after it was taken back; or if it is a screen that nobody finishes.
 * @param isKnown whether there was a task of that id a moment ago.
 */
export function sweepOrphan(
  context: SessionContext,
  name: string,
  isKnown: (taskId: string) => boolean,
): void {
  const taskId = taskIdOfOutput(name);
  const isUnfinished = unfinished.test(name);
  if (taskId === null || (isKnown(taskId) && !isUnfinished)) return;
  try {
    const path = join(context.paths.output, name);
    if (Date.now() - lstatSync(path).mtimeMs > orphanMs && (isUnfinished || !hasLog(context, taskId)))
      removeEntry(path);
  } catch (error) {
    // Removed by somebody else, or the store is read-only.
    tolerate(error, passing, 'removing an output without a task');
  }
}

function hasLog(context: SessionContext, taskId: string): boolean {
  return logPathOf(context.paths, taskId) !== null || existsSync(removedLog(context.paths, taskId));
}
