import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, removeEntry } from '../tasklog/files.ts';
import { removedLog, taskPaths } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';

const outputName = /^(bgb-[0-9a-f]{8})\.(?:out|err|cmd)$/;

/** A spawner makes the files of a task side by side: so long an output without a log may be one on its way. */
const orphanMs = 60_000;

/**
 * Removes outputs that belong to no task: of spawners that died, or whose disk failed, before the log was made or after
 * it was taken back.
 * @param taskIds the tasks that there are; read before this is called.
 */
export function sweepOrphans(context: SessionContext, taskIds: readonly string[]): void {
  const known = new Set(taskIds);
  for (const name of namesIn(context.paths.output)) {
    const taskId = outputName.exec(name)?.[1];
    if (taskId === undefined || known.has(taskId)) continue;
    try {
      const path = join(context.paths.output, name);
      if (Date.now() - lstatSync(path).mtimeMs > orphanMs && !hasLog(context, taskId)) removeEntry(path);
    } catch {
      // Removed by somebody else, or the store is read-only.
    }
  }
}

function hasLog(context: SessionContext, taskId: string): boolean {
  return existsSync(taskPaths(context.paths, taskId).log) || existsSync(removedLog(context.paths, taskId));
}
