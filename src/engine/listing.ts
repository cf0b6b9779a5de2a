import { decide } from '../model/decide.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { namesIn } from '../tasklog/files.ts';
import { taskIdOfFile } from '../tasklog/paths.ts';
import { monotonicMs, yieldToOthers } from '../util/wait.ts';
import type { SessionContext } from './context.ts';
import { describe, observe } from './observe.ts';
import type { Sight } from './sight.ts';

/** So long the event loop is kept busy at a stretch, in milliseconds. */
const stretchMs = 5;

/** The ids of all tasks of a session, in no order. */
export function taskIds(context: SessionContext): string[] {
  return namesIn(context.paths.tasks)
    .map(taskIdOfFile)
    .filter((id) => id !== null);
}

/** How tasks are listed. */
export interface ListOptions {
  /** Only those that have not ended. */
  readonly live?: boolean;
  /** Bytes of output in each snapshot; by default what the session says. */
  readonly previewBytes?: number | undefined;
  /** What was seen of processes just before, and need not be looked at again. */
  readonly sight?: Sight | null;
}

/** Snapshots of all tasks of a session, in no order. */
export async function snapshots(context: SessionContext, options: ListOptions = {}): Promise<TaskSnapshot[]> {
  const { live = false, previewBytes = context.limits.previewBytes, sight = null } = options;
  const found: TaskSnapshot[] = [];
  for await (const taskId of unhurried(taskIds(context))) {
    const observed = observe(context, taskId, sight);
    if (observed === null) continue;
    // An ended one costs the reading of its output as well.
    if (live && decide(observed.facts, observed.alive).state !== 'live') continue;
    found.push(describe(context, taskId, observed, { previewBytes }));
  }
  return found;
}

/** The same items, with the event loop given back from time to time: there may be tens of thousands. */
export async function* unhurried(items: readonly string[]): AsyncGenerator<string, void, undefined> {
  let stretch = monotonicMs();
  for (const item of items) {
    yield item;
    if (monotonicMs() - stretch < stretchMs) continue;
    await yieldToOthers();
    stretch = monotonicMs();
  }
}
