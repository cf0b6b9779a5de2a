import type { Facts } from '../../model/fold.ts';
import { bounds } from '../../model/limits.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { StopCause } from '../../model/words.ts';
import type { SessionContext } from '../session/context.ts';
import { observe, takeSnapshot } from '../session/observe.ts';
import { checkNumber } from '../session/validate.ts';
import { taskIds } from '../store/listing.ts';
import { stopTask } from './stop.ts';

/**
 * Stops the tasks of a session that run on this machine and are meant, and resolves when their trees are gone. All
 * of them are asked in one turn of the event loop, so a process that dies meanwhile leaves none unasked.
 * @param graceMs `null`: each task's own.
 * @throws OutliveError `INVALID_ARGUMENT`; an AggregateError of what could not be stopped.
 */
export async function stopAll(
  context: SessionContext,
  cause: StopCause,
  isMeant: (facts: Facts) => boolean,
  graceMs: number | null = null,
): Promise<TaskSnapshot[]> {
  if (graceMs !== null) checkNumber('graceMs', graceMs, 0, bounds.durationMs);
  const meant = taskIds(context)
    .map((taskId) => ({ taskId, facts: factsOfLive(context, taskId) }))
    .filter(({ facts }) => facts !== null && isMeant(facts))
    // What waits for a place is asked before what will leave one.
    .sort((one, other) => Number(waits(other.facts)) - Number(waits(one.facts)))
    .map(({ taskId }) => taskId);
  const stops = meant.map((id) => stopTask(context, id, { cause, graceMs, killSignal: 'SIGTERM' }));
  const failures = (await Promise.allSettled(stops)).filter((stop) => stop.status === 'rejected');
  if (failures.length > 0) {
    throw new AggregateError(
      failures.map((failure) => failure.reason),
      `${failures.length} of ${stops.length} tasks could not be stopped`,
    );
  }
  return meant.map((id) => takeSnapshot(context, id)).filter((snapshot) => snapshot !== null);
}

/** The facts of a task that has not ended and is of this machine; null of any other. */
function factsOfLive(context: SessionContext, taskId: string): Facts | null {
  const { facts, decision } = observe(context, taskId) ?? {};
  return facts !== undefined && decision?.state === 'live' && !decision.elsewhere ? facts : null;
}

function waits(facts: Facts | null): boolean {
  return facts?.spec?.queue !== undefined && facts.started === undefined;
}
