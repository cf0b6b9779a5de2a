import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { decide } from '../model/decide.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { livesHere } from '../platform/identity.ts';
import { cutWriter, taskIdOfFile, taskPaths } from '../tasklog/paths.ts';
import { systemCode } from '../util/system-error.ts';
import { yieldToOthers } from '../util/wait.ts';
import type { SessionContext } from './context.ts';
import { exceedsKeep } from './cut-output.ts';
import type { OutputLimits } from './limits.ts';
import { look } from './look.ts';
import { type Observed, observe, takeSnapshot } from './observe.ts';
import { noteWatches } from './pattern-watches.ts';
import { hasOpenWatch, removeTask } from './sweep.ts';

/** So long the event loop is kept busy at a stretch, in milliseconds. */
const stretchMs = 5;

/** A log that nothing was written to after this long belongs to a spawner that died. */
const emptyLogMs = 60_000;

/** Takes up all tasks of a session: those that run are watched, those that ended are settled and owed. */
export async function adopt(context: SessionContext, limits: OutputLimits): Promise<void> {
  sweepCuts(context);
  const pending: Promise<void>[] = [];
  for await (const taskId of unhurried(taskIds(context))) {
    const observed = observe(context, taskId);
    if (observed === null) {
      sweepEmpty(context, taskId);
      continue;
    }
    noteWatches(context, taskId, observed.facts);
    if (!takeEnded(context, taskId, observed))
      pending.push(look(context, limits, taskId).catch(() => undefined));
  }
  await Promise.all(pending);
}

/** Most tasks of an old session have ended, and one read of their log is all that they cost. */
function takeEnded(context: SessionContext, taskId: string, observed: Observed): boolean {
  const decision = decide(observed.facts, observed.alive);
  if (decision.state !== 'ended' || observed.facts.openStop !== undefined) return false;
  if (exceedsKeep(observed.facts)) return false;
  const { retentionMs } = context.limits;
  if (!decision.delivered) context.owed.add(taskId);
  else if (hasOpenWatch(observed.facts)) return true;
  else if (retentionMs !== null && Date.now() - decision.outcome.endedAt >= retentionMs)
    removeTask(context, taskId);
  return true;
}

/** Removes the shortened outputs of processes that died while they wrote them. */
function sweepCuts(context: SessionContext): void {
  for (const name of namesIn(context.paths.output)) {
    const writer = cutWriter(name);
    if (writer === null || livesHere(writer.pid, writer.start || null, context.store.system)) continue;
    try {
      unlinkSync(join(context.paths.output, name));
    } catch {
      // Removed by somebody else, or the store is read-only.
    }
  }
}

/** Snapshots of all tasks of a session, in no order. */
export async function snapshots(context: SessionContext): Promise<TaskSnapshot[]> {
  const found: TaskSnapshot[] = [];
  for await (const taskId of unhurried(taskIds(context))) {
    const snapshot = takeSnapshot(context, taskId);
    if (snapshot !== null) found.push(snapshot);
  }
  return found;
}

/** The same items, with the event loop given back from time to time: there may be tens of thousands. */
async function* unhurried(items: readonly string[]): AsyncGenerator<string, void, undefined> {
  let stretch = performance.now();
  for (const item of items) {
    yield item;
    if (performance.now() - stretch < stretchMs) continue;
    await yieldToOthers();
    stretch = performance.now();
  }
}

/** The ids of all tasks of a session, in no order. */
export function taskIds(context: SessionContext): string[] {
  return namesIn(context.paths.tasks)
    .map(taskIdOfFile)
    .filter((id) => id !== null);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes an old log that is empty, with all its files: nothing was promised to anybody. */
function sweepEmpty(context: SessionContext, taskId: string): void {
  try {
    const stat = statSync(taskPaths(context.paths, taskId).log);
    if (stat.size === 0 && Date.now() - stat.mtimeMs > emptyLogMs) removeTask(context, taskId);
  } catch {
    // Removed meanwhile, or out of reach.
  }
}
