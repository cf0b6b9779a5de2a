import { Deliveries } from '../api/deliveries.ts';
import type { MatchToRead } from '../api/pending-matches.ts';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { isOfAnotherAgent } from '../api/whose-shell.ts';
import type { PendingMatch } from '../engine/watches/session-matches.ts';
import { visible } from '../util/visible.ts';
import type { Io } from './io.ts';
import { jsonLine } from './present/task.ts';

/** Prints a line that a watch has found. */
export async function printMatch(io: Io, store: Store, match: MatchToRead): Promise<void> {
  if (io.json) return await io.out(jsonLine(match));
  const { taskId, offset, line, dropped } = match;
  const { name } = store.task(taskId).snapshot();
  const who = io.colours.bold(taskId) + (name === null ? '' : ` (${visible(name)})`);
  const more = dropped === 0 ? '' : `; ${dropped} more before it were left out`;
  await io.out(`${who} wrote at byte ${offset}${more}: ${visible(line)}\n`);
}

/**
 * Prints the matches that are pending, and acknowledges them when all are written: the last of a watch stands for all of it.
 * @param options `spareOthers`: what another agent, which lives, is told of is left to that one.
 */
export async function takeMatches(
  io: Io,
  store: Store,
  session: Session,
  { spareOthers = false } = {},
): Promise<void> {
  const deliveries = new Deliveries(session);
  const last = new Map<string, PendingMatch>();
  for await (const match of session.matches({ wait: false })) {
    const { taskId, watchId, ack: _later, ...found } = match;
    if (spareOthers && isOfAnotherAgent(deliveries, deliveries.specOf(taskId))) continue;
    await printMatch(io, store, { taskId, watchId, ...found });
    last.set(`${taskId} ${watchId}`, match);
  }
  for (const match of last.values()) await match.ack();
}

/** Prints and acknowledges each match as it comes. */
export async function followMatches(
  io: Io,
  store: Store,
  session: Session,
  abortSignal: AbortSignal,
): Promise<void> {
  for await (const { ack, ...match } of session.matches({ abortSignal })) {
    await printMatch(io, store, match);
    await ack();
  }
}
