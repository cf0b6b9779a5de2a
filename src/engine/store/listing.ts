import type { TaskSnapshot } from '../../model/snapshot.ts';
import { doneLogs } from '../../tasklog/done.ts';
import { namesIn } from '../../tasklog/files.ts';
import { taskIdOfFile } from '../../tasklog/paths.ts';
import { unhurried } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import { describe, observe } from '../session/observe.ts';
import type { ProcessCache } from '../session/process-cache.ts';

/** The ids of the tasks of a session to which something may happen yet, in no order: all that are live or pending. */
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
  /** What was just seen of processes, so that it need not be checked again. */
  readonly sight?: ProcessCache | null;
}

/** A task, and where its log was put away; `day`: null, it was not. */
export interface ListedTask {
  readonly taskId: string;
  readonly day: string | null;
}

/** All tasks of a session, each once, in no order. */
export function* allTasks(context: SessionContext): Generator<ListedTask, void, undefined> {
  const ids = taskIds(context);
  for (const taskId of ids) yield { taskId, day: null };
  // One that was put away between the two looks was seen already.
  const seen = new Set(ids);
  for (const done of doneLogs(context.paths)) if (!seen.has(done.taskId)) yield done;
}

/** Snapshots of the tasks of a session, one at a time and in no order: there may be tens of thousands. */
export async function* snapshots(
  context: SessionContext,
  options: ListOptions = {},
): AsyncGenerator<TaskSnapshot, void, undefined> {
  const { live = false, previewBytes = context.limits.previewBytes, sight = null } = options;
  const tasks = live ? taskIds(context).map((taskId) => ({ taskId, day: null })) : allTasks(context);
  for await (const { taskId, day } of unhurried(tasks)) {
    const observed = observe(context, taskId, sight, day);
    if (observed === null) continue;
    // An ended one costs the reading of its output as well.
    if (live && observed.decision.state !== 'live') continue;
    yield describe(context, taskId, observed, { previewBytes });
  }
}

/** Snapshots that come one at a time, all together, the oldest task first. */
export async function oldestFirst(tasks: AsyncIterable<TaskSnapshot>): Promise<TaskSnapshot[]> {
  const found: TaskSnapshot[] = [];
  for await (const task of tasks) found.push(task);
  return found.sort((a, b) => a.createdAt - b.createdAt);
}
