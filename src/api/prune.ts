import type { SessionContext } from '../engine/context.ts';
import { taskIds } from '../engine/listing.ts';
import { checkNumber } from '../engine/spawn-request.ts';
import { isRemovable, removeTask } from '../engine/sweep.ts';
import { defaults } from '../model/limits.ts';
import { outputSize } from '../tasklog/output.ts';
import { taskPaths } from '../tasklog/paths.ts';
import { yieldToOthers } from '../util/wait.ts';

/** What to remove. */
export interface PruneOptions {
  /** Only tasks that ended at least so long ago, in milliseconds. @default 7 days */
  readonly olderThanMs?: number;
  /** Only say what would be removed. @default false */
  readonly dryRun?: boolean;
}

/** What was removed. */
export interface PruneResult {
  readonly taskIds: readonly string[];
  /** Bytes of output that were freed. */
  readonly bytes: number;
}

/** Removes a session's tasks that ended long enough ago and were acknowledged. One that is owed is never removed. */
export async function pruneSession(context: SessionContext, options: PruneOptions): Promise<PruneResult> {
  const olderThanMs = checkNumber('olderThanMs', options.olderThanMs ?? defaults.retentionMs, 0);
  const removed: string[] = [];
  let bytes = 0;
  for (const taskId of taskIds(context)) {
    if (!isRemovable(context, taskId, olderThanMs)) continue;
    const { stdout, stderr } = taskPaths(context.paths, taskId);
    for (const path of [stdout, stderr]) bytes += outputSize({ path, cut: undefined });
    if (options.dryRun !== true) removeTask(context, taskId);
    removed.push(taskId);
    await yieldToOthers();
  }
  return { taskIds: removed, bytes };
}
