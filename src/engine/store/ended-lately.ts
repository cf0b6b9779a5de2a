import { lstatSync } from 'node:fs';
import type { SpecFact } from '../../model/facts.ts';
import { overSince, type TaskSnapshot } from '../../model/snapshot.ts';
import { doneLog } from '../../tasklog/done.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { unhurried } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import { describe, observe } from '../session/observe.ts';
import { allTasks } from './listing.ts';

/** A task that has ended, and what was asked for at its start. */
export interface EndedTask {
  readonly snapshot: TaskSnapshot;
  readonly spec: SpecFact | undefined;
}

/**
 * The tasks of a session that have ended since then, in no order. Nothing is settled. Only logs that have changed since are read.
 * @param sinceMs epoch milliseconds.
 */
export async function* endedSince(
  context: SessionContext,
  sinceMs: number,
  isMeant: (spec: SpecFact | undefined) => boolean,
): AsyncGenerator<EndedTask, void, undefined> {
  for await (const { taskId, day } of unhurried(allTasks(context))) {
    const { log } = taskPaths(context.paths, taskId);
    const path = day === null ? log : doneLog(context.paths, { taskId, day });
    const changedAt = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
    // One that was put away just now is not where it was listed.
    if (changedAt !== null && changedAt < sinceMs) continue;
    const observed = observe(context, taskId, null, changedAt === null ? null : day);
    if (observed === null || observed.decision.state === 'live' || !isMeant(observed.facts.spec)) continue;
    const snapshot = describe(context, taskId, observed, { previewBytes: 0 });
    if (overSince(snapshot) >= sinceMs) yield { snapshot, spec: observed.facts.spec };
  }
}
