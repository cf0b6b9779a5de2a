import { statSync } from 'node:fs';
import { decide } from '../model/decide.ts';
import { spoilLog } from '../tasklog/log.ts';
import { taskPaths } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';
import { exceedsKeep } from './cut-output.ts';
import { taskIds, unhurried } from './listing.ts';
import { look } from './look.ts';
import { type Observed, observe } from './observe.ts';
import { noteWatches } from './pattern-watches.ts';
import { grantTurns } from './queue.ts';
import { dropGroup } from './resources.ts';
import { finishRemovals, hasLiveLeftovers, hasOpenWatch, removeTask } from './sweep.ts';
import { sweepCuts } from './sweep-cuts.ts';
import { sweepOrphans } from './sweep-orphans.ts';

/** A log that nothing was written to after this long belongs to a spawner that died. */
const emptyLogMs = 60_000;

/** Takes up all tasks of a session: those that run are watched, those that ended are settled and owed. */
export async function adopt(context: SessionContext): Promise<void> {
  sweepBroken(context);
  const pending: Promise<void>[] = [];
  const ids = taskIds(context);
  sweepOrphans(context, ids);
  for await (const taskId of unhurried(ids)) {
    const observed = observe(context, taskId);
    if (observed === null) {
      sweepEmpty(context, taskId);
      continue;
    }
    noteWatches(context, taskId, observed.facts);
    if (!takeEnded(context, taskId, observed)) pending.push(look(context, taskId).catch(() => undefined));
  }
  await Promise.all(pending);
  context.isAdopted = true;
  grantTurns(context);
}

/** Most tasks of an old session have ended, and one read of their log is all that they cost. */
function takeEnded(context: SessionContext, taskId: string, observed: Observed): boolean {
  const decision = decide(observed.facts, observed.alive);
  if (decision.state !== 'ended' || observed.facts.openStop !== undefined) return false;
  if (exceedsKeep(observed.facts)) return false;
  dropGroup(observed.facts);
  context.store.windows?.dropFiles(context, taskId);
  const { retentionMs } = context.limits;
  if (!decision.delivered) context.owed.add(taskId);
  else if (hasOpenWatch(observed.facts) || hasLiveLeftovers(context, observed.facts)) return true;
  else if (retentionMs !== null && Date.now() - decision.outcome.endedAt >= retentionMs)
    removeIfPossible(context, taskId);
  return true;
}

/** A store that is read-only can be opened all the same. */
function removeIfPossible(context: SessionContext, taskId: string): void {
  try {
    removeTask(context, taskId);
  } catch {
    // It stays until it can go.
  }
}

/** Ends what processes that died have begun: removals, and shortened outputs that did not take their place. */
export function sweepBroken(context: SessionContext): void {
  sweepCuts(context);
  finishRemovals(context);
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
  } catch {
    // Removed meanwhile, or out of reach.
  }
}
