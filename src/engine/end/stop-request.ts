import type { StopFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { defaults } from '../../model/limits.ts';
import type { StopCause } from '../../model/words.ts';
import { randomHex } from '../../util/crypto.ts';
import { record } from '../session/append.ts';
import type { SessionContext } from '../session/context.ts';
import { placeOf, stopTopic } from '../session/topics.ts';

/** The pause between two checks of a task that its shim stops: the first one, from which it grows, and the longest. */
export const firstLookMs = 1;
export const longestLookMs = 50;

/** A shim that has not answered by then is told again. */
export const answersWithinMs = 1_000;

/** A request for the end of a task. */
export interface StopRequest {
  readonly cause: StopCause;
  /** `null`: the task's own, as it was said at its spawn. */
  readonly graceMs: number | null;
  /** The first signal. SIGKILL skips the grace. */
  readonly killSignal: NodeJS.Signals;
}

/** The same when it is known for which task. */
export interface StopOfTask extends StopRequest {
  readonly graceMs: number;
}

/** The grace of a stop. */
export function graceOf({ spec }: Facts, { graceMs }: StopFact): number {
  return graceMs ?? spec?.graceMs ?? defaults.graceMs;
}

/**
 * Appends a request, and reports it.
 * @param behind how many facts came before: a fact that cannot be written now still counts after them.
 */
export function recordStop(
  context: SessionContext,
  taskId: string,
  { cause, graceMs, killSignal }: StopOfTask,
  behind?: number,
): StopFact {
  const id = randomHex(6);
  const by = context.store.system.self();
  const fact: StopFact = { fact: 'stop', cause, id, graceMs, killSignal, by, at: Date.now() };
  record(context, taskId, [fact], behind);
  stopTopic.tell(() => ({ ...placeOf(context, taskId), cause, killSignal, graceMs }));
  return fact;
}
