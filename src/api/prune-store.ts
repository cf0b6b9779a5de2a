import type { SessionContext, StoreContext } from '../engine/session/context.ts';
import { snapshots } from '../engine/store/listing.ts';
import {
  checkPrune,
  type PruneOptions,
  type PruneResult,
  prune,
  pruneOptionNames,
} from '../engine/store/prune.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { openedToRead } from '../errors/error.ts';
import { overSince } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { StoreTask } from './store-task.ts';

/** What to remove from a store. */
export interface StorePruneOptions extends PruneOptions {
  /** Only of this session. */
  readonly sessionId?: string;
}

const storePruneOptionNames: OptionNames<StorePruneOptions> = { ...pruneOptionNames, sessionId: true };

/**
 * Removes tasks from a store.
 * @throws OutliveError `INVALID_ARGUMENT`, `STORE_UNWRITABLE`.
 */
export async function pruneStore(
  store: StoreContext,
  options: StorePruneOptions,
  sessionsOf: (sessionId: string | undefined) => Iterable<SessionContext>,
): Promise<PruneResult> {
  const { sessionId, ...what } = checkOptions('store.prune()', options, storePruneOptionNames);
  if (store.isReadOnly && !options.dryRun) throw openedToRead();
  return await pruneRead(sessionsOf(sessionId), what);
}

/** Acknowledges the unread ends of the tasks to remove, and removes the tasks. */
export async function pruneRead(
  contexts: Iterable<SessionContext>,
  options: PruneOptions,
): Promise<PruneResult> {
  const { unread, dryRun, olderThanMs, taskIds } = checkPrune(options);
  const isMeant = (taskId: string): boolean => taskIds?.includes(taskId) !== false;
  if (unread && !dryRun)
    for (const context of contexts)
      for await (const snapshot of snapshots(context, { previewBytes: 0 })) {
        const { taskId, status, delivered } = snapshot;
        const isOld = Date.now() - overSince(snapshot) >= olderThanMs;
        if (isEnded(status) && !delivered && isOld && isMeant(taskId))
          await new StoreTask(context, taskId).ack();
      }
  return await prune(contexts, options);
}
