import type { Bond } from '../../model/words.ts';
import type { Dependency } from '../../shim/request.ts';
import { placeFor, type SpawnPlace } from '../queue/queue.ts';
import type { SessionContext } from '../session/context.ts';
import { dependencyOf } from '../supervise/after.ts';
import { bindingOf } from './binding.ts';
import { checkDisk } from './disk-reserve.ts';
import type { SpawnRequest } from './spawn-request.ts';

/** What can be said of a request before anything is touched, but only at that moment. */
interface CheckedNow {
  readonly bond: Bond | null;
  readonly dependency: Dependency | null;
  readonly place: SpawnPlace;
}

/**
 * Checks what may change from one moment to the next.
 * @param leaving how many of the running tasks are about to be stopped for this one.
 * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `TASK_LIMIT`, `DISK_LOW`.
 */
export function checkNow(context: SessionContext, request: SpawnRequest, leaving = 0): CheckedNow {
  const bond = bindingOf(request.bindTo, context.store.system);
  const dependency = dependencyOf(context, request.after);
  const place = placeFor(context, request, leaving);
  checkDisk(context.store);
  return { bond, dependency, place };
}
