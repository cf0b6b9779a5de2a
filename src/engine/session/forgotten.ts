import type { Fact } from '../../model/facts.ts';
import type { SessionContext } from './context.ts';

/** Facts that were kept in memory for want of a disk that takes them, when their session was closed. */
export interface Forgotten {
  readonly taskId: string;
  readonly facts: readonly Fact['fact'][];
  /** Why the disk did not take them. */
  readonly reason: string;
}

const listeners = new Set<(forgotten: Forgotten) => void>();

/** Hears of what a process forgets that ends now, until the returned function is called. */
export function onForgotten(listener: (forgotten: Forgotten) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tells what a session has not been able to write, and does not try again. */
export function tellForgotten({ unwritten, refusal }: SessionContext): void {
  const reason = refusal instanceof Error ? refusal.message : String(refusal);
  for (const [taskId, waiting] of unwritten)
    for (const listener of listeners)
      listener({ taskId, facts: waiting.map(({ fact }) => fact.fact), reason });
}
