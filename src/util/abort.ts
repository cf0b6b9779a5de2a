import { setMaxListeners } from 'node:events';

/**
 * A signal that is aborted as soon as one of these is, and that any number may listen to: Node takes more than ten listeners
 * for a leak, and says so on stderr.
 */
export function firstOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  const first = AbortSignal.any(signals.filter((signal) => signal !== undefined));
  setMaxListeners(0, first);
  return first;
}
