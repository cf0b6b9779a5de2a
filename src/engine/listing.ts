import { decide } from '../model/decide.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { namesIn } from '../tasklog/names-in.ts';
import { taskIdOfFile } from '../tasklog/paths.ts';
import { yieldToOthers } from '../util/wait.ts';
import type { SessionContext } from './context.ts';
import { describe, observe } from './observe.ts';

/** So long the event loop is kept busy at a stretch, in milliseconds. */
const stretchMs = 5;

/** The ids of all tasks of a session, in no order. */
export function taskIds(context: SessionContext): string[] {
  return namesIn(context.paths.tasks)
    .map(taskIdOfFile)
    .filter((id) => id !== null);
}

/** Snapshots of all tasks of a session, or of those that have not ended, in no order. */
export async function snapshots(context: SessionContext, liveOnly = false): Promise<TaskSnapshot[]> {
  const found: TaskSnapshot[] = [];
  for await (const taskId of unhurried(taskIds(context))) {
    const observed = observe(context, taskId);
    if (observed === null) continue;
    // An ended one costs the reading of its output as well.
    if (liveOnly && decide(observed.facts, observed.alive).state !== 'live') continue;
    found.push(describe(context, taskId, observed));
  }
  return found;
}

/** The same items, with the event loop given back from time to time: there may be tens of thousands. */
export async function* unhurried(items: readonly string[]): AsyncGenerator<string, void, undefined> {
  let stretch = performance.now();
  for (const item of items) {
    yield item;
    if (performance.now() - stretch < stretchMs) continue;
    await yieldToOthers();
    stretch = performance.now();
  }
}
