import { checkNumber } from '../engine/checks.ts';
import type { SessionContext } from '../engine/context.ts';
import { taskIds } from '../engine/listing.ts';
import { observe, takeSnapshot } from '../engine/observe.ts';
import { stopTask } from '../engine/stop.ts';
import { decide } from '../model/decide.ts';
import type { Facts } from '../model/fold.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { StopCause } from '../model/words.ts';

/**
 * Stops the tasks of a session that run on this machine and are meant, and resolves when their trees are gone. All
 * of them are asked in one turn of the event loop, so a process that dies meanwhile leaves none unasked.
 * @throws OutliveError `INVALID_ARGUMENT`; an AggregateError of what could not be stopped.
 */
export async function stopAll(
  context: SessionContext,
  cause: StopCause,
  isMeant: (facts: Facts) => boolean,
  graceMs: number = defaults.graceMs,
): Promise<TaskSnapshot[]> {
  checkNumber('graceMs', graceMs, 0, bounds.durationMs);
  const meant = taskIds(context).filter((taskId) => runsHere(context, taskId, isMeant));
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

function runsHere(context: SessionContext, taskId: string, isMeant: (facts: Facts) => boolean): boolean {
  const observed = observe(context, taskId);
  if (observed === null || !isMeant(observed.facts)) return false;
  const decision = decide(observed.facts, observed.alive);
  return decision.state === 'live' && !decision.elsewhere;
}
