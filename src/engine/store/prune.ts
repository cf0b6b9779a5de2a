import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { defaults } from '../../model/limits.ts';
import type { SessionContext } from '../session/context.ts';
import { checkBytes, checkFlag, checkNumber, invalid } from '../session/validate.ts';
import { removeIfEmpty } from './empty-session.ts';
import { retain } from './retain.ts';
import { finishRemovals, type KeptBecause } from './sweep.ts';

/** What to remove. */
export interface PruneOptions {
  /** Only tasks that ended at least this long ago, in milliseconds. @default 7 days */
  readonly olderThanMs?: number;
  /**
   * Then it removes more tasks, the oldest end first, until all files of the session's tasks (for `store.prune`, of the
   * store's) take at most this many bytes; `null`: no limit. @default null
   */
  readonly maxBytes?: number | null;
  /** Only say what would be removed. @default false */
  readonly dryRun?: boolean;
  /** Only these, of any age unless `olderThanMs` says more. @default all */
  readonly taskIds?: readonly string[];
  /** Also ended tasks that nobody has acknowledged: it acknowledges and removes them. @default false */
  readonly unread?: boolean;
}

/** The options of {@link PruneOptions}. */
export const pruneOptionNames: OptionNames<PruneOptions> = {
  olderThanMs: true,
  maxBytes: true,
  dryRun: true,
  taskIds: true,
  unread: true,
};

/** What was removed. */
export interface PruneResult {
  readonly taskIds: readonly string[];
  /** Bytes of output that were freed. */
  readonly bytes: number;
  /** The tasks that it checked and kept, and why; with `maxBytes` it may still remove some of them. */
  readonly kept: readonly { readonly taskId: string; readonly because: KeptBecause }[];
}

/**
 * Removes tasks that ended and were acknowledged, of these sessions, and those of the sessions that have no tasks then.
 * A task that is pending is never removed.
 */
export async function prune(contexts: Iterable<SessionContext>, options: PruneOptions): Promise<PruneResult> {
  const { olderThanMs, maxBytes, dryRun, taskIds, unread } = checkPrune(options);
  if (!dryRun) for (const context of contexts) finishRemovals(context);
  const kept: { taskId: string; because: KeptBecause }[] = [];
  const removed = await retain(contexts, {
    olderThanMs,
    maxBytes,
    dryRun,
    unread,
    ...(taskIds !== null && { taskIds: new Set(taskIds) }),
    onKept: (taskId, because) => kept.push({ taskId, because }),
  });
  if (!dryRun) for (const { paths } of contexts) removeIfEmpty(paths);
  const gone = new Set(removed.taskIds);
  return { ...removed, kept: kept.filter(({ taskId }) => !gone.has(taskId)) };
}

/** What is asked for, with every default filled in. */
interface CheckedPrune {
  readonly olderThanMs: number;
  readonly maxBytes: number | null;
  readonly dryRun: boolean;
  readonly taskIds: readonly string[] | null;
  readonly unread: boolean;
}

/**
 * What is asked for.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkPrune(options: PruneOptions): CheckedPrune {
  const {
    taskIds,
    unread = false,
    dryRun = false,
    maxBytes = null,
    ...rest
  } = checkOptions('session.prune()', options, pruneOptionNames);
  if (taskIds !== undefined && !(Array.isArray(taskIds) && taskIds.every((id) => typeof id === 'string')))
    invalid('taskIds', 'a list of ids', taskIds);
  const { olderThanMs = taskIds === undefined ? defaults.retentionMs : 0 } = rest;
  checkNumber('olderThanMs', olderThanMs, 0);
  checkFlag('dryRun', dryRun);
  checkFlag('unread', unread);
  if (maxBytes !== null) checkBytes('maxBytes', maxBytes, 0);
  return { olderThanMs, maxBytes, dryRun, taskIds: taskIds ?? null, unread };
}
