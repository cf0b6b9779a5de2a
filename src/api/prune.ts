import { checkBytes, checkNumber } from '../engine/checks.ts';
import type { SessionContext } from '../engine/context.ts';
import { retain } from '../engine/retain.ts';
import { finishRemovals } from '../engine/sweep.ts';
import { defaults } from '../model/limits.ts';

/** What to remove. */
export interface PruneOptions {
  /** Only tasks that ended at least so long ago, in milliseconds. @default 7 days */
  readonly olderThanMs?: number;
  /**
   * Then, the oldest end first, so many that all files of the session's tasks (the store's, for `store.prune`) take
   * no more than so many bytes; `null`: any number. @default null
   */
  readonly maxBytes?: number | null;
  /** Only say what would be removed. @default false */
  readonly dryRun?: boolean;
}

/** What was removed. */
export interface PruneResult {
  readonly taskIds: readonly string[];
  /** Bytes of output that were freed. */
  readonly bytes: number;
}

/** Removes tasks that ended and were acknowledged, of these sessions. One that is owed is never removed. */
export async function prune(
  contexts: readonly SessionContext[],
  options: PruneOptions,
): Promise<PruneResult> {
  const { olderThanMs = defaults.retentionMs, maxBytes = null, dryRun = false } = options;
  checkNumber('olderThanMs', olderThanMs, 0);
  if (maxBytes !== null) checkBytes('maxBytes', maxBytes, 0);
  if (!dryRun) for (const context of contexts) finishRemovals(context);
  return await retain(contexts, { olderThanMs, maxBytes, dryRun });
}
