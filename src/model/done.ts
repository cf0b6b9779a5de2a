import type { DeliveredFact } from './completion-facts.ts';
import type { ExitFact, GoneFact, OutcomeFact, SpecFact, StopFact } from './facts.ts';
import type { HookedFact } from './hook-facts.ts';

/** What decides whether a task is done. */
interface EndFacts {
  readonly spec?: SpecFact;
  readonly exit?: ExitFact;
  readonly gone?: GoneFact;
  readonly hooked?: HookedFact;
  readonly outcome?: OutcomeFact;
  readonly delivered?: DeliveredFact;
  readonly openStop?: StopFact;
}

/**
 * Whether nothing more happens to a task: its shim has proven its end and that nothing is left of it, its completion
 * was acknowledged, its hook has ended, and nobody has asked for anything more. The order of the facts decides, so it is
 * so for everybody and for ever: a stop or a watch that comes later counts for nothing. An end that is not proven may be
 * taken back, so a task that ended so is never done.
 */
export function isDone(
  { spec, exit, gone, hooked, outcome, delivered, openStop }: EndFacts,
  hasOpenWatch: boolean,
): boolean {
  if (spec?.seal === undefined || exit === undefined || outcome === undefined) return false;
  if (delivered === undefined || openStop !== undefined || hasOpenWatch) return false;
  if (spec.onExit !== undefined && hooked === undefined) return false;
  // Without the second secret a task could say it of itself.
  if (exit.pending) return gone?.proof !== undefined;
  const isNothingLeft = exit.left === null ? outcome.leftovers.length === 0 : exit.left === 0;
  return isNothingLeft || gone !== undefined;
}
