import type { ProcessIdentity } from '../../model/words.ts';
import { isAlive } from '../../platform/identity.ts';
import { processKey } from '../../platform/system.ts';
import { enforce } from '../end/enforce.ts';
import { report } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';

/** Stops the tasks that are bound to a process that is gone. It checks each process once. */
export function enforceBonds(context: SessionContext, bonds: ReadonlyMap<string, ProcessIdentity>): void {
  const gone = new Map<string, boolean>();
  for (const [taskId, bound] of bonds) {
    const live = context.live.get(taskId);
    if (live === undefined || live.stop !== null || live.stopSeenAt !== null) continue;
    const key = processKey(bound);
    const isGone = gone.get(key) ?? isOver(bound, context);
    gone.set(key, isGone);
    if (isGone) enforce(context, taskId, 'bound');
  }
}

/** A process of another machine or container is not judged. */
function isOver(bound: ProcessIdentity, { store }: SessionContext): boolean {
  try {
    return isAlive(bound, store.system) === 'no';
  } catch (error) {
    // It cannot be checked just now, but that does not mean that it is gone.
    report({ store }, 'checking a process that a task is bound to', error);
    return false;
  }
}
