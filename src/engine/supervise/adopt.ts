import { statSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { spoilLog } from '../../tasklog/log.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { unhurried } from '../../util/wait.ts';
import { dropGroup } from '../processes/cgroup.ts';
import { grantTurns } from '../queue/queue.ts';
import { passing, report } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { type Observed, observe } from '../session/observe.ts';
import { putAwaySoon } from '../session/put-away.ts';
import { exceedsKeep } from '../store/cut-output.ts';
import { taskIds } from '../store/listing.ts';
import { finishRemovals, removeTask } from '../store/sweep.ts';
import { noteWatches } from '../watches/pattern-watches.ts';
import { reconcile } from './reconcile.ts';

/** A log that nothing was written to after this long belongs to a spawner that died. */
const emptyLogMs = 60_000;

/** Takes up all tasks of a session: those that run are watched, those that ended are settled and pending. */
export async function adopt(context: SessionContext): Promise<void> {
  const { keepsHouse } = context.store;
  if (keepsHouse) finishRemovals(context);
  const pending: Promise<void>[] = [];
  for await (const taskId of unhurried(taskIds(context))) {
    const observed = observe(context, taskId);
    if (observed === null) {
      if (keepsHouse) sweepEmpty(context, taskId);
      continue;
    }
    noteWatches(context, taskId, observed.facts);
    if (!takeEnded(context, taskId, observed)) pending.push(lookOrReport(context, taskId));
  }
  await Promise.all(pending);
  context.isAdopted = true;
  grantTurns(context);
}

/** A task that cannot be checked does not block the others. */
async function lookOrReport(context: SessionContext, taskId: string): Promise<void> {
  try {
    await reconcile(context, taskId);
  } catch (error) {
    report(context, 'checking a task', error, { taskId });
  }
}

/** Most tasks of an old session have ended, and one read of their log is all that they cost. */
function takeEnded(context: SessionContext, taskId: string, observed: Observed): boolean {
  const { decision } = observed;
  if (decision.state !== 'ended' || observed.facts.openStop !== undefined) return false;
  if (exceedsKeep(observed.facts) && context.store.keepsHouse) return false;
  if (observed.away === null) dropGroup(observed.facts);
  context.store.windows?.dropFiles(context, taskId);
  if (!decision.delivered) context.pending.add(taskId);
  // The process that acknowledged it may have died before it did so.
  if (observed.facts.isDone) putAwaySoon(context, taskId);
  return true;
}

/**
 * Removes an old log that is empty, with all its files: nothing was promised to anybody. Its spawner may not have died but
 * been stopped: where that can be seen the log stays; where it cannot, the log is spoiled first, so that either its
 * spawner starts nothing, or the spec came first and nothing is removed.
 */
function sweepEmpty(context: SessionContext, taskId: string): void {
  try {
    const { log } = taskPaths(context.paths, taskId);
    const stat = statSync(log);
    if (stat.size > 0 && !stat.isFile()) return;
    if (Date.now() - stat.mtimeMs <= emptyLogMs || context.store.system.isOpen?.(log)) return;
    if (!stat.isFile() || spoilLog(log)) removeTask(context, taskId);
  } catch (error) {
    // Removed meanwhile, or out of reach.
    tolerate(error, passing, 'removing an empty log');
  }
}
