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

/**
 * What some work brings, unless a signal is aborted first: the work goes on, and its result or error is dropped.
 * @throws the reason of the signal.
 */
export async function unlessAborted<T>(abortSignal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (abortSignal === undefined) return await work;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortSignal.reason);
    abortSignal.addEventListener('abort', stop);
    if (abortSignal.aborted) stop();
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    abortSignal.removeEventListener('abort', stop);
  }
}
