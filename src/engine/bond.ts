import { OutliveError } from '../errors/error.ts';
import type { Bond } from '../model/words.ts';
import { isAlive } from '../platform/identity.ts';
import { processKey, type System } from '../platform/system.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { enforce } from './enforce.ts';
import type { BindTo } from './spawn-request.ts';

/**
 * What a task is bound to, for its record: a process is an identity there, taken now.
 * @throws OutliveError `INVALID_ARGUMENT` when there is no such process.
 */
export function bondOf(bindTo: BindTo | null, system: System): Bond | null {
  if (bindTo === null || bindTo === 'session') return bindTo;
  const self = system.self();
  if (bindTo.pid === self.pid) return self;
  const seen = system.view(bindTo.pid);
  if (seen !== null && !seen.zombie) return { ...self, pid: seen.pid, start: seen.start };
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected bindTo.pid to be a process that lives; found none of pid ${bindTo.pid}. Bind to process.pid, to another live process, or to 'session'.`,
  );
}

/** Stops the tasks that are bound to a process that is gone. Each process is looked at once. */
export function enforceBonds(context: SessionContext): void {
  const gone = new Map<string, boolean>();
  for (const live of context.live.values()) {
    if (live.bound === null || live.stop !== null || live.stopAsked) continue;
    const key = processKey(live.bound);
    const isGone = gone.get(key) ?? isOver(live, context);
    gone.set(key, isGone);
    if (isGone) enforce(context, live.id, 'bound');
  }
}

/** A process of another machine or container is not judged. */
function isOver({ bound }: LiveTask, { store }: SessionContext): boolean {
  try {
    return bound !== null && isAlive(bound, store.system) === 'no';
  } catch {
    // It cannot be looked at just now: it is not gone for that.
    return false;
  }
}
