import { conversationOf } from '../engine/session/conversation.ts';
import type { SpecFact } from '../model/facts.ts';
import type { Deliveries } from './deliveries.ts';

/** The conversation that this process runs for: an agent names it in the environment of its shells. Null: none is named. */
export function shellParty(): string | null {
  return conversationOf({ env: process.env });
}

/**
 * Whether another live agent must hear of the end of a task. What this process prints acknowledges nothing for that
 * agent.
 */
export function isOfAnotherAgent(deliveries: Deliveries, spec: SpecFact | null): boolean {
  if (spec?.starter === undefined) return false;
  const { party, client } = spec.starter;
  const own = shellParty();
  const identity = { ...spec.by, ...client };
  const isOwn = party !== undefined && own !== null ? party === own : deliveries.isAncestor(identity);
  return !isOwn && deliveries.mayLive(identity);
}
