import { warn } from '../../errors/warnings.ts';
import { isHostName, isTaskId, streams } from '../wire/names.ts';
import { type Bus, isBusError } from './bus.ts';
import type { Invented } from './floods.ts';
import { currentOf, isOver, type TaskEntry } from './fold.ts';
import type { Ledger } from './ledger.ts';

const dayMs = 24 * 3_600_000;
/** How long an acknowledged task is kept: until then, the coordinator recognizes a repeated request. */
const deliveredMs = 7 * dayMs;
/** How long a revoked task without an acknowledgement is kept. An end without an acknowledgement is kept forever. */
const revokedMs = 30 * dayMs;
/** How many subjects are purged at a time. */
const purgesAtOnce = 20;
/** How many tasks one sweep removes. */
const mostAtOnce = 200;

/**
 * Removes old tasks, which nobody waits for, from the stream of assignments and from memory.
 * @param now epoch milliseconds.
 */
export async function sweep(bus: Bus, ledger: Ledger, now: number): Promise<void> {
  const old = [...ledger.all()].filter((entry) => isOld(entry, now)).slice(0, mostAtOnce);
  for (const { task } of old) {
    try {
      await bus.manager.streams.purge(streams.assignments, { filter: `assign.*.${task}` });
    } catch (error) {
      // The next sweep removes it.
      if (!isBusError(error)) throw error;
      return;
    }
    ledger.drop(task);
  }
}

/** Removes assignments that hosts have invented, up to the message that was read. Later assignments stay. */
export async function sweepInvented(bus: Bus, ledger: Ledger, all: readonly Invented[]): Promise<void> {
  for (const { host, task, seq } of all) {
    if (ledger.get(task) !== undefined || !isTaskId(task) || !isHostName(host)) continue;
    await purge(bus, { filter: `assign.${host}.${task}`, seq: seq + 1 });
  }
}

/** Removes what a forgotten host has written about unknown tasks, and all its notices of ends. */
export async function removeInvented(bus: Bus, ledger: Ledger, host: string): Promise<void> {
  try {
    await bus.manager.streams.purge(streams.ends, { filter: `done.*.${host}.*` });
    const filter = { subjects_filter: `assign.${host}.*` };
    const { state } = await bus.manager.streams.info(streams.assignments, filter);
    const tasks = Object.keys(state.subjects ?? {}).map((subject) => subject.split('.')[2] ?? '');
    const invented = tasks.filter((task) => ledger.get(task) === undefined);
    if (invented.length === tasks.length && tasks.length > 0)
      await bus.manager.streams.purge(streams.assignments, { filter: `assign.${host}.*` });
    else
      for (let at = 0; at < invented.length && !bus.connection.isClosed(); at += purgesAtOnce)
        await Promise.all(
          invented
            .slice(at, at + purgesAtOnce)
            .map(async (task) => await purge(bus, { filter: `assign.${host}.${task}` })),
        );
  } catch (error) {
    // What is left takes space, but does no harm.
    if (!isBusError(error)) throw error;
    warn({ doing: `removing what ${host} has written`, error });
  }
}

async function purge(bus: Bus, what: { readonly filter: string; readonly seq?: number }): Promise<void> {
  try {
    await bus.manager.streams.purge(streams.assignments, what);
  } catch (error) {
    if (!isBusError(error)) throw error;
  }
}

function isOld(entry: TaskEntry, now: number): boolean {
  const { assignment } = currentOf(entry);
  const { state, by, at } = assignment;
  // The clock of a host may be wrong, so times that a host wrote do not count.
  if (by !== 'coordinator' || !isOver(assignment)) return false;
  return now - at > (state === 'delivered' ? deliveredMs : revokedMs);
}
