import { type Facts, shimOf } from '../model/fold.ts';
import { viewHere } from '../platform/identity.ts';
import type { SessionContext } from './context.ts';
import { signalMember } from './tree.ts';

/** After the grace of a stop the shim has this long to end its task by force; then others do it from outside. */
export const shimOverdueMs = 2_000;

/** Whether the shim of a task lives. */
export function shimLives(context: SessionContext, facts: Facts): boolean {
  const { system } = context.store;
  const shim = shimOf(facts);
  if (shim === undefined) return false;
  const seen = viewHere(shim.pid, shim.start, system);
  // Where the start time is not known, what it carries tells it from a stranger.
  return seen !== null && (shim.start !== null || system.carries(shim.pid, facts.spec?.cookie ?? ''));
}

/** Whether the shim has performed a stop and cannot say what it has left: it saw no processes. Others may. */
export function stoppedBlindly({ left, outcome }: Facts): boolean {
  return outcome === undefined && left?.proof !== undefined && left.processes === null;
}

/**
 * Has the shim of a task read its log. SIGCONT wakes also one that was stopped by a signal, and does nothing to a
 * stranger that has got its pid.
 */
export function nudge(context: SessionContext, facts: Facts): void {
  const shim = shimOf(facts);
  if (shim === undefined || !shimLives(context, facts)) return;
  signalMember({ ...shim, command: '' }, 'SIGCONT', context.store.system);
}
