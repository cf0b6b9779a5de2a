import { tellingsOf } from '../../model/watches.ts';
import { isAlive } from '../../platform/identity.ts';
import { record } from '../session/append.ts';
import type { SessionContext } from '../session/context.ts';
import { isMatchPending, type MatchPlace, openWatches } from './pattern-watches.ts';

/** A party that reports matches. */
export interface Teller {
  /** Names the telling. */
  readonly id: string;
  /** The conversation that is told; null: it was not said. */
  readonly party: string | null;
}

/** How a match stands for who would tell it. `again`: it was told, and it is not known whether that was read. */
export type Standing = 'free' | 'again' | 'held' | 'printed' | 'not_pending';

/** How long a printed match belongs to the party that printed it. After that it counts as unread. */
const printedMs = 60_000;

/** Whether a match may be told: see decision 60. `printed`: it was printed for that party, whose next call acknowledges it. */
export function standingOf(context: SessionContext, match: MatchPlace, { id, party }: Teller): Standing {
  if (!isMatchPending(context, match)) return 'not_pending';
  const watch = openWatches(context, match.taskId).find(({ fact }) => fact.id === match.watchId);
  const tellings = watch === undefined ? [] : tellingsOf(watch, match);
  const isOf = (telling: { readonly party?: string; readonly at?: number }): boolean =>
    party !== null && telling.party === party && telling.at !== undefined;
  if (tellings.some(isOf)) return 'printed';
  const holder = tellings.find(
    ({ by, at }) =>
      (at !== undefined && Math.abs(Date.now() - at) < printedMs) ||
      isAlive(by, context.store.system) !== 'no',
  );
  if (holder !== undefined && holder.id !== id) return 'held';
  return tellings.some((telling) => telling.id !== id) ? 'again' : 'free';
}

/**
 * Says that matches of one watch are being told, the first in order of which is `first`.
 * @param at when they were printed, epoch milliseconds; undefined: they are not yet.
 */
export function tellMatches(
  context: SessionContext,
  [first, last]: readonly [MatchPlace, MatchPlace],
  { id, party }: Teller,
  at?: number,
): void {
  const { taskId, watchId: watch, beginsAt } = first;
  const more = {
    ...(beginsAt > 0 && { begins: beginsAt }),
    ...(party !== null && { party }),
    ...(at !== undefined && { at }),
  };
  const by = context.store.system.self();
  const place = { from: first.lineOffset, to: last.lineOffset };
  record(context, taskId, [{ fact: 'telling', watch, id, ...place, by, ...more }]);
}

/** Takes a telling back: its matches are anybody's to tell. */
export function untellMatches(context: SessionContext, { taskId, watchId }: MatchPlace, id: string): void {
  const watches = openWatches(context, taskId).filter(({ fact }) => fact.id === watchId);
  if (watches.some(({ tellings }) => tellings.has(id)))
    record(context, taskId, [{ fact: 'untelling', watch: watchId, id }]);
}
