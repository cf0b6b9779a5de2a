import type { MatchToRead } from '../api/pending-matches.ts';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import type { PendingMatch } from '../engine/watches/session-matches.ts';
import { visible } from '../util/visible.ts';
import type { Io } from './io.ts';
import { jsonLine } from './present/task.ts';

/** Prints a line that a watch has found. */
export async function printMatch(io: Io, store: Store, match: MatchToRead, more: object = {}): Promise<void> {
  await io.out(io.json ? jsonLine({ ...match, ...more }) : matchText(io, store, match));
}

/** A line that a watch has found, for a person or a model. */
export function matchText(io: Io, store: Store, match: MatchToRead): string {
  const { taskId, offset, line, dropped } = match;
  const { name } = store.task(taskId).snapshot();
  const who = io.colours.bold(taskId) + (name === null ? '' : ` (${visible(name)})`);
  const more = dropped === 0 ? '' : `; ${dropped} more before it were left out`;
  return `${who} wrote at byte ${offset}${more}: ${visible(line)}\n`;
}

/** Prints the matches that are pending, and acknowledges them when all are written: the last of a watch stands for all of it. */
export async function takeMatches(io: Io, store: Store, session: Session): Promise<void> {
  const last = new Map<string, PendingMatch>();
  for await (const match of session.matches({ wait: false })) {
    const { taskId, watchId, ack: _later, ...found } = match;
    await printMatch(io, store, { taskId, watchId, ...found });
    last.set(`${taskId} ${watchId}`, match);
  }
  if (last.size > 0) await io.arrived();
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
    await io.arrived();
    await ack();
  }
}
