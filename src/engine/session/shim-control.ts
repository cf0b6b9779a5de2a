import type { StopFact } from '../../model/facts.ts';
import { type Facts, shimOf } from '../../model/fold.ts';
import { livesHere, viewHere } from '../../platform/identity.ts';
import { signalMember } from '../../platform/signal.ts';
import type { SessionContext } from './context.ts';

/** A shim that performs a stop kills for this long before it says what it could not kill. */
const killTakesMs = 2_000;

/** So much longer than it needs a shim has, before others end its task from outside. */
const overdueMs = 2_000;

/** How long the shim has after the grace of a stop: one that has answered is at work. */
export function shimHasMs(facts: Facts, stop: StopFact): number {
  return overdueMs + (hasAnswered(facts, stop) ? killTakesMs : 0);
}

/** Whether the shim has read a request to stop, or has made it. */
export function hasAnswered({ answered }: Facts, { by, id }: StopFact): boolean {
  return by === null || answered.includes(id);
}

/** Whether the shim of a task lives. */
export function shimLives(context: SessionContext, facts: Facts): boolean {
  const { system } = context.store;
  const shim = shimOf(facts);
  if (shim === undefined) return false;
  const seen = viewHere(shim.pid, shim.start, system);
  // Where the start time is not known, what it carries tells it from a stranger.
  return seen !== null && (shim.start !== null || system.carries(shim.pid, facts.spec?.cookie ?? ''));
}

/** Whether the process lives that the shim has forked for the hook of a task. */
export function hookRunnerLives({ store }: SessionContext, { hook }: Facts): boolean {
  return hook !== undefined && livesHere(hook.pid, hook.start, store.system);
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
  if (shim === undefined) return;
  // It checks the start time once more before it sends the signal; if that is not known, it checks the cookie.
  if (shim.start !== null || shimLives(context, facts)) signalMember(shim, 'SIGCONT', context.store.system);
}
