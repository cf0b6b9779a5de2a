import { conversationOf } from '../engine/session/conversation.ts';
import type { SpecFact } from '../model/facts.ts';
import type { Deliveries } from './deliveries.ts';

/** The conversation that this process runs for: an agent names it in the environment of its shells. Null: none is named. */
export function shellParty(): string | null {
  return conversationOf({ env: process.env });
}

/**
 * Whether the end of a task is another agent's to be told of, which lives. What this process prints acknowledges nothing for
 * that one.
 */
export function isOfAnotherAgent(deliveries: Deliveries, spec: SpecFact | null): boolean {
  if (spec?.starter === undefined) return false;
  const { party, client } = spec.starter;
  const own = shellParty();
  const identity = { ...spec.by, ...client };
  const isOwn = party !== undefined && own !== null ? party === own : deliveries.isAncestor(identity);
  return !isOwn && deliveries.mayLive(identity);
}
