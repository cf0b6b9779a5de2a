import type { ClaimFact } from '../../model/completion-facts.ts';
import { type Facts, noFacts } from '../../model/fold.ts';
import { isAlive } from '../../platform/identity.ts';
import { record } from '../session/append.ts';
import type { SessionContext } from '../session/context.ts';
import { readFacts } from '../session/read-record.ts';
import { observePending } from './acknowledge.ts';

/** The process that claims a completion. */
export interface Claimer {
  readonly id: string;
  /** The conversation to tell; absent: it was not named. */
  readonly party?: string | null;
}

/** What came of an attempt to claim a completion. */
export interface Claim {
  readonly result: 'ours' | 'taken' | 'not_pending';
  /** How many claims were made before this one. Somebody may have been told then. */
  readonly earlier: number;
}

/** What a command has printed is the party's for this long: then it counts as unread. */
const printedMs = 60_000;

/**
 * Claims a completion for one consumer, so that only one of several live consumers handles it: the first claim in the
 * log counts. The claim of a dead process is void. A holder that claims again keeps its claim.
 */
export function claim(context: SessionContext, taskId: string, { id, party }: Claimer): Claim {
  if (observePending(context, taskId) === null) return { result: 'not_pending', earlier: 0 };
  const before = holderIn(context, taskId);
  if (before.holder !== undefined && before.holder.id !== id)
    return { result: 'taken', earlier: before.claimed.length };
  if (before.holder === undefined) {
    const by = context.store.system.self();
    record(context, taskId, [{ fact: 'claim', id, by, ...(party == null ? {} : { party }) }]);
  }
  // Of two who append at once the log tells who was first.
  const { holder, claimed } = holderIn(context, taskId);
  const earlier = Math.max(0, claimed.lastIndexOf(id));
  return { result: holder?.id === id ? 'ours' : 'taken', earlier };
}

/** Gives a claim back, for the next consumer. */
export function unclaim(context: SessionContext, taskId: string, id: string): void {
  if (factsOf(context, taskId).claims.some((made) => made.id === id))
    record(context, taskId, [{ fact: 'unclaim', id }]);
}

/** Says that what was claimed is printed. */
export function told(context: SessionContext, taskId: string, id: string): void {
  record(context, taskId, [{ fact: 'told', id, at: Date.now() }]);
}

/** Whether a command has printed the completion for that party, and nobody has acknowledged it since. */
export function wasPrinted(context: SessionContext, taskId: string, party: string): boolean {
  const { told: printed, claims } = factsOf(context, taskId);
  return printed.some(({ id }) => claims.some((made) => made.id === id && made.party === party));
}

function holderIn(
  context: SessionContext,
  taskId: string,
): { holder: ClaimFact | undefined; claimed: readonly string[] } {
  const { claims, claimed, told: printed } = factsOf(context, taskId);
  const isFresh = (id: string): boolean =>
    printed.some((fact) => fact.id === id && Math.abs(Date.now() - fact.at) < printedMs);
  const holds = (made: ClaimFact): boolean =>
    isFresh(made.id) || isAlive(made.by, context.store.system) !== 'no';
  return { holder: claims.find(holds), claimed };
}

function factsOf(context: SessionContext, taskId: string): Facts {
  return readFacts(context, taskId) ?? noFacts;
}
