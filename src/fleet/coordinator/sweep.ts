import { streams } from '../wire/names.ts';
import { type Bus, isBusError } from './bus.ts';
import { currentOf, isOver, type TaskEntry } from './fold.ts';
import type { Ledger } from './ledger.ts';

const dayMs = 24 * 3_600_000;
/** What the consumer has is kept so long: a request of then is known for a repetition. */
const deliveredMs = 7 * dayMs;
/** What was revoked, and nobody has acknowledged, is kept longer. An end that nobody has acknowledged is kept for ever. */
const revokedMs = 30 * dayMs;
/** So many tasks are removed at a time. */
const mostAtOnce = 200;

/** Removes tasks from the stream of assignments, and from the memory, of which nobody is to hear any more. @param now epoch milliseconds. */
export async function sweep(bus: Bus, ledger: Ledger, now: number): Promise<void> {
  const old = [...ledger.all()].filter((entry) => isOld(entry, now)).slice(0, mostAtOnce);
  for (const { task } of old) {
    try {
      await bus.manager.streams.purge(streams.assignments, { filter: `assign.*.${task}` });
    } catch (error) {
      // It is removed the next time.
      if (!isBusError(error)) throw error;
      return;
    }
    ledger.drop(task);
  }
}

function isOld(entry: TaskEntry, now: number): boolean {
  const { assignment } = currentOf(entry);
  const { state, by, at } = assignment;
  // The clock of a host may be anything.
  if (by !== 'coordinator' || !isOver(assignment)) return false;
  return now - at > (state === 'delivered' ? deliveredMs : revokedMs);
}
